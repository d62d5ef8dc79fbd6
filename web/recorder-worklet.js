// Hands what the microphone hears to recorder.js, some 20 ms at a time: so much of the end is lost at most.
class Recorder extends AudioWorkletProcessor {
  #blocks = [];

  process([input]) {
    if (input.length > 0) this.#blocks.push(input[0].slice());
    if (this.#blocks.length < 8) return true;
    const out = new Float32Array(this.#blocks.reduce((sum, block) => sum + block.length, 0));
    let at = 0;
    for (const block of this.#blocks) {
      out.set(block, at);
      at += block.length;
    }
    this.#blocks = [];
    this.port.postMessage(out, [out.buffer]);
    return true;
  }
}
registerProcessor("recorder", Recorder);
