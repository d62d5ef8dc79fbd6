// The sample clips that the server brings along (examples/clips), with questions of the kinds that nano was trained on
// (docs/nano_kinds.md).
export const samples = [
  {
    title: "Sounds",
    about: "10 s of sounds",
    file: "sounds.flac",
    questions: ["What is the first sound?", "How often does the drum occur?", "Is there a siren in the clip?", "What is the last sound?"],
    next: ["And what comes after it?"],
  },
  {
    title: "Dialogue",
    about: "7 s, people talking",
    file: "dialogue.flac",
    questions: ["Who speaks first, a man or a woman?", "Is there music in the clip?"],
    next: [],
  },
  {
    title: "Waltz",
    about: "8 s of music",
    file: "waltz.flac",
    questions: [
      "What is the metre of the music? (a) a steady four-beat feel in 4/4 (b) a waltz feel in 3/4 (c) a lilting feel in 6/8 (d) a swung feel in 4/4",
      "What is the tempo of the music? (a) slow (b) medium (c) fast",
      "Do you hear speech?",
    ],
    next: [],
  },
  {
    title: "Spoken code",
    about: "3 s, one voice",
    file: "code.flac",
    questions: ["Which digits are spoken?", "Is the speaker a man or a woman?", "Which language is spoken?"],
    next: [],
  },
];
