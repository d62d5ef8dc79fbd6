# A row of the experiment -> the row(s) of an arm (--arg arm), as `messages`. Arms that the trainer makes itself (answer: --target answer, chain) have no entry.
def tagged($names): [$names[] as $n | "<" + ($n | ascii_upcase) + ">\n" + .sections[$n] + "</" + ($n | ascii_upcase) + ">"] | join("\n");
def chain($names): "<THINK>\n" + tagged($names) + "\n</THINK>\n" + tagged(["response"]);
def row($question; $answer): {id, kind, audios: .audio, messages: [{role: "user", content: $question}, {role: "assistant", content: $answer}]};
def caption_questions: ["Describe the clip.", "What do you hear, and when?", "Write down the sounds with their times.", "List the sounds in the clip."];
if $arm == "captions" then  # one caption a question, on the question's own clip: as many as the chain arm writes
  .kind = "describe" | row(caption_questions[(.id | explode | add) % 4]; .sections.caption)
elif $arm == "no-caption" then row(.question; chain(["planning", "reasoning", "summary"]))
elif $arm == "no-planning" then row(.question; chain(["caption", "reasoning", "summary"]))
elif $arm == "unstructured" then row(.question; [.sections[("planning", "caption", "reasoning", "summary", "response")]] | join(" "))
else error("no arm " + $arm) end
