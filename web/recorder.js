// The microphone as a WAV file: 16 kHz, mono, 16 bit, which is what the model hears.

const kRate = 16000;

function wav(samples) {
  const view = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const text = (at, letters) => [...letters].forEach((c, i) => view.setUint8(at + i, c.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + 2 * samples.length, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);  // PCM
  view.setUint16(22, 1, true);  // channels
  view.setUint32(24, kRate, true);
  view.setUint32(28, 2 * kRate, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, 2 * samples.length, true);
  samples.forEach((s, i) => view.setInt16(44 + 2 * i, Math.round(Math.max(-1, Math.min(1, s)) * 32767), true));
  return new Blob([view], { type: "audio/wav" });
}

// Browsers record at the device's rate.
async function resampled(blocks, rate) {
  const length = blocks.reduce((sum, block) => sum + block.length, 0);
  if (length === 0) return new Float32Array(0);
  const context = new OfflineAudioContext(1, Math.max(1, Math.ceil((length * kRate) / rate)), kRate);
  const buffer = context.createBuffer(1, length, rate);
  let at = 0;
  for (const block of blocks) {
    buffer.copyToChannel(block, 0, at);
    at += block.length;
  }
  const source = context.createBufferSource();
  source.buffer = buffer;
  source.connect(context.destination);
  source.start();
  return (await context.startRendering()).getChannelData(0);
}

// Begins to record; onSeconds(n) hears how much there is. stop() resolves to the WAV file.
export async function record(onSeconds) {
  if (!navigator.mediaDevices?.getUserMedia || !window.AudioWorkletNode)
    throw new Error("This browser gives the microphone only to pages from 127.0.0.1, localhost or https.");
  // A model wants the sound as it is, not what makes calls pleasant.
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false },
  });
  const context = new AudioContext();
  const end = async () => {
    stream.getTracks().forEach((track) => track.stop());
    await context.close();
  };
  try {
    await context.resume();  // some browsers begin in silence
    await context.audioWorklet.addModule("recorder-worklet.js");
  } catch (error) {
    await end();
    throw error;
  }
  const blocks = [];
  let length = 0;
  const node = new AudioWorkletNode(context, "recorder", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
  node.port.onmessage = ({ data }) => {
    blocks.push(data);
    length += data.length;
    onSeconds(length / context.sampleRate);
  };
  context.createMediaStreamSource(stream).connect(node);
  return {
    async stop() {
      const rate = context.sampleRate;
      await end();
      return wav(await resampled(blocks, rate));
    },
  };
}
