// The server as the page sees it: POST v1/chat/completions as a stream (docs/serve.md). Knows nothing of the page's elements.

export class ServerError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

let key = sessionStorage.getItem("api-key") ?? "";

export function useKey(text) {
  key = text;
  sessionStorage.setItem("api-key", text);
}

async function send(path, options = {}) {
  const headers = { ...(key && { Authorization: `Bearer ${key}` }), ...(options.body && { "Content-Type": "application/json" }) };
  let response;
  try {
    response = await fetch(path, { ...options, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ServerError(0, "The server cannot be reached. Is “audio-reasoner serve” still running?");
  }
  if (response.ok) return response;
  const text = await response.text();
  let message = `The server answered with status ${response.status}.`;
  try {
    message = JSON.parse(text).error.message;
  } catch {
    // Not ours: a proxy's page.
  }
  throw new ServerError(response.status, message);
}

export async function modelName() {
  return (await (await send("v1/models")).json()).data[0].id;
}

// The events of a stream (text/event-stream) as objects, until [DONE].
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read().catch((error) => {
      if (error.name === "AbortError") throw error;
      return { done: true };
    });
    if (done) throw new ServerError(0, "The answer broke off: the connection to the server was lost.");
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      if (!line.startsWith("data: ")) continue;
      if (line === "data: [DONE]") return;
      yield JSON.parse(line.slice(6));
    }
  }
}

// Asks; `onText({content, chain})` hears the answer as far as it is written. Returns it with `finish` and `facts` (sections,
// timings, what was heard) when it is whole.
export async function ask(request, signal, onText) {
  const body = JSON.stringify({ ...request, stream: true, stream_options: { include_usage: true } });
  const response = await send("v1/chat/completions", { method: "POST", body, signal });
  const answer = { content: "", chain: "", finish: null, facts: null, usage: null };
  for await (const event of events(response.body)) {
    if (event.error) throw new ServerError(500, event.error.message);
    const choice = event.choices?.[0];
    answer.content += choice?.delta?.content ?? "";
    answer.chain += choice?.delta?.reasoning_content ?? "";
    answer.finish = choice?.finish_reason ?? answer.finish;
    answer.facts = event.audio_reasoner?.[0] ?? answer.facts;
    answer.usage = event.usage ?? answer.usage;
    if (choice) onText(answer);
  }
  return answer;
}

const sectionNames = ["PLANNING", "CAPTION", "REASONING", "SUMMARY"];

// [{name, text}] of a chain with tags, as far as it is written; text outside of the sections has the name "".
export function sectionsOf(chain) {
  const out = [];
  let rest = chain.replace(/<\/?[A-Z]*$/, "");
  while (rest !== "") {
    const open = rest.match(/<([A-Z]+)>/);
    const known = open && sectionNames.includes(open[1]);
    const before = (known ? rest.slice(0, open.index) : rest).trim();
    if (before !== "") out.push({ name: "", text: before });
    if (!known) break;
    const inside = rest.slice(open.index + open[0].length);
    const close = inside.indexOf(`</${open[1]}>`);
    out.push({ name: open[1], text: (close < 0 ? inside : inside.slice(0, close)).trim() });
    rest = close < 0 ? "" : inside.slice(close + open[1].length + 3);
  }
  return out;
}
