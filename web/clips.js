// The clips that the next question is about: from files, the microphone or the samples, with a player each.
import { record } from "./recorder.js";
import { element } from "./turn.js";

const mostSeconds = 600;  // of a recording
const byId = (id) => document.getElementById(id);

function base64(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(new Error("The file cannot be read."));
    reader.readAsDataURL(blob);
  });
}

export class Clips {
  #clips = [];  // {name, blob, url, data}
  #recording = null;
  #wanted = 0;  // the latest choice wins over slower ones

  // `changed()` is called when other clips were chosen.
  constructor(changed) {
    this.changed = changed;
    byId("file").addEventListener("change", ({ target }) => {
      this.choose([...target.files].map((file) => ({ name: file.name, blob: file })));
      target.value = "";  // so that the same file can be chosen again
    });
    this.#takeDrops();
    byId("record").addEventListener("click", () => this.#toggleRecording());
  }

  // Of files, anywhere on the page; text may still be dropped into the question.
  #takeDrops() {
    const over = (event) => {
      const file = event.dataTransfer.types.includes("Files");
      if (file) event.preventDefault();
      document.body.classList.toggle("dropping", file && event.type === "dragover");
      return file;
    };
    document.addEventListener("dragover", over);
    document.addEventListener("dragleave", over);
    document.addEventListener("drop", (event) => {
      if (over(event)) this.choose([...event.dataTransfer.files].map((file) => ({ name: file.name, blob: file })));
    });
  }

  get names() {
    return this.#clips.map((clip) => clip.name);
  }

  // The parts of a message that hold the clips.
  async parts() {
    for (const clip of this.#clips) clip.data ??= await base64(clip.blob);
    return this.#clips.map(({ name, data }) => {
      const format = name.match(/\.([A-Za-z0-9]+)$/)?.[1].toLowerCase() ?? "wav";
      return { type: "input_audio", input_audio: { format, data } };
    });
  }

  choose(clips) {
    if (clips.length === 0) return;
    this.#wanted++;
    this.#clips.forEach((clip) => URL.revokeObjectURL(clip.url));
    this.#clips = clips.map((clip) => ({ ...clip, url: URL.createObjectURL(clip.blob) }));
    this.complain("");
    byId("clips").replaceChildren(...this.#clips.map((clip, i) => this.#player(clip, i)));
    this.changed();
  }

  async chooseSample(sample) {
    const mine = ++this.#wanted;
    try {
      const response = await fetch(`clips/${sample.file}`);
      if (!response.ok) throw new Error();
      const blob = await response.blob();
      if (mine === this.#wanted) this.choose([{ name: sample.file, blob }]);
    } catch {
      this.complain("The sample cannot be loaded. Is “audio-reasoner serve” still running?");
    }
  }

  complain(message) {
    byId("clip-error").textContent = message;
    byId("clip-error").hidden = message === "";
  }

  #player(clip, index) {
    const name = this.#clips.length > 1 ? `audio ${index + 1}: ${clip.name}` : clip.name;
    const player = element("audio", { src: clip.url, controls: true });
    player.setAttribute("aria-label", `Play ${name}`);
    const out = element("figure", {}, element("figcaption", { textContent: name }), player);
    player.addEventListener("error", () =>
      player.replaceWith(element("p", { className: "note", textContent: "This browser cannot play it; the server may hear it all the same." })),
    );
    return out;
  }

  async #toggleRecording() {
    const button = byId("record");
    if (this.#recording === "starting") return;
    if (this.#recording) return this.#endRecording();
    this.#recording = "starting";
    this.complain("");
    try {
      this.#recording = await record((n) => {
        if (!button.classList.contains("recording")) return;
        button.textContent = `Stop recording (${n.toFixed(1)} s)`;
        if (n > mostSeconds) this.#endRecording();
      });
      button.classList.add("recording");
      button.textContent = "Stop recording";
    } catch (error) {
      this.#recording = null;
      const refused = error.name === "NotAllowedError" ? "The browser does not let this page use the microphone." : null;
      const none = error.name === "NotFoundError" ? "There is no microphone." : null;
      this.complain(refused ?? none ?? error.message);
    }
  }
  async #endRecording() {
    const recording = this.#recording;
    this.#recording = null;
    byId("record").textContent = "Record";
    byId("record").classList.remove("recording");
    try {
      const blob = await recording.stop();
      if (blob.size > 44) this.choose([{ name: "recording.wav", blob }]);
      else this.complain("Nothing was recorded.");
    } catch (error) {
      this.complain(error.message);
    }
  }
}
