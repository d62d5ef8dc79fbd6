// The page: a clip, questions about it, answers as they are written. The conversation is kept here and sent whole every time.
import { ServerError, ask, modelName, useKey } from "./api.js";
import { Clips } from "./clips.js";
import { samples } from "./samples.js";
import { Turn, element } from "./turn.js";

const byId = (id) => document.getElementById(id);
let messages = [];  // of the conversation so far, as the server wants them
let sample = null;  // that was chosen
let heading = null;  // of the conversation among the answers, once it has one
let running = null;  // the AbortController of the answer that is being written

function say(text) {
  byId("said").textContent = text;
}

function showExamples() {
  const questions = messages.length === 0 ? sample?.questions : sample?.next;
  byId("examples").replaceChildren(...(questions ?? []).map((text) => {
    const button = element("button", { type: "button", textContent: text });
    button.addEventListener("click", () => {
      byId("question").value = text;
      byId("question").focus();
    });
    return button;
  }));
}

function startAnew() {
  running?.abort();
  messages = [];
  heading = null;
  byId("anew").hidden = true;
  showExamples();
}

const clips = new Clips(() => {
  if (clips.names[0] !== sample?.file) sample = null;
  document.querySelectorAll("#samples button").forEach((b) => b.setAttribute("aria-pressed", b.value === sample?.file));
  startAnew();
  const question = byId("question");
  const written = samples.some((s) => [...s.questions, ...s.next].includes(question.value));  // by us, for another clip
  if (sample && (written || !question.value.trim())) question.value = sample.questions[0];
  say(`Clip: ${clips.names.join(", ")}`);
});

function showSamples() {
  byId("samples").replaceChildren(...samples.map((s) => {
    const button = element("button", { type: "button", value: s.file }, element("strong", { textContent: s.title }),
                           element("span", { textContent: s.about }));
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => {
      sample = s;
      clips.chooseSample(s);
    });
    return button;
  }));
}

// What the options say; empty ones are left to the server.
function options() {
  const number = (input) => (input.value === "" ? undefined : Number(input.value));
  const structure = byId("structure").value || undefined;
  const out = { structure, temperature: number(byId("temperature")), max_tokens: number(byId("max-tokens")) };
  if (structure === "free") return out;
  const choices = byId("choices").value.split("|").map((choice) => choice.trim()).filter(Boolean);
  if (choices.length > 0) out.choices = choices;
  const budgets = [...byId("budgets").querySelectorAll("input")].filter((input) => input.value !== "");
  if (budgets.length > 0) out.section_budget = Object.fromEntries(budgets.map((input) => [input.name, number(input)]));
  return out;
}

function showRunning(controller) {
  running = controller;
  byId("ask").setAttribute("aria-disabled", controller !== null);  // disabled, it would lose the focus
  if (!controller && document.activeElement === byId("stop")) byId("question").focus();
  byId("stop").hidden = controller === null;
}

// The latest conversation and its latest answer stand first, right under the question.
function showNewTurn(question) {
  const turn = new Turn(question);
  if (!heading) {
    heading = element("h3", { textContent: clips.names.join(", ") });
    byId("answers").prepend(heading);
  }
  heading.after(turn.article);
  turn.article.scrollIntoView({ block: "nearest" });
  return turn;
}

function showFailure(turn, question, error) {
  if (!byId("question").value) byId("question").value = question;
  say("");
  if (error.name === "AbortError") return turn.stopped();
  // The server knows clips by their place in the request only.
  turn.fail(error.message.replace(/messages\[\d+\]\.content\[(\d+)\]/g, (place, i) => clips.names[i] ?? place));
  if (error.status === 401) wantKey();
}

async function askQuestion(question) {
  const controller = new AbortController();
  const turn = showNewTurn(question);
  const conversation = messages;  // a new one replaces the array
  showRunning(controller);
  say("The model listens and thinks.");
  const started = performance.now();
  try {
    const text = { type: "text", text: question };
    const content = conversation.length === 0 ? [...(await clips.parts()), text] : [text];
    const asked = [...conversation, { role: "user", content }];
    const answer = await ask({ messages: asked, ...options() }, controller.signal, (so_far) => turn.write(so_far));
    turn.finish(answer, (performance.now() - started) / 1000);
    say(`Answer: ${answer.content}`);
    if (messages === conversation) {
      // With its chain, so that the model reads what it thought (docs/serve.md).
      messages = [...asked, { role: "assistant", content: answer.content, reasoning_content: answer.chain }];
      byId("anew").hidden = false;
      showExamples();
    }
  } catch (error) {
    showFailure(turn, question, error);
  } finally {
    showRunning(null);
    turn.article.scrollIntoView({ block: "nearest" });
  }
}

function wantKey() {
  byId("key-form").hidden = false;
  byId("key").focus();
}

async function showModel() {
  try {
    byId("model").textContent = await modelName();
    byId("nano").hidden = byId("model").textContent !== "nano";
  } catch (error) {
    if (error instanceof ServerError && error.status === 401) return wantKey();
    byId("model").textContent = error.message;
  }
}

byId("ask-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const question = byId("question").value.trim();
  if (clips.names.length === 0) return clips.complain("Choose a clip first: a sample, a file or a recording.");
  if (running || question === "") return byId("question").focus();
  byId("question").value = "";
  askQuestion(question);
});
byId("question").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  byId("ask-form").requestSubmit();
});
document.addEventListener("keydown", (event) => event.key === "Escape" && running?.abort());
byId("stop").addEventListener("click", () => running?.abort());
byId("anew").addEventListener("click", () => {
  startAnew();
  byId("question").focus();
});
byId("structure").addEventListener("change", ({ target }) => {
  byId("choices").disabled = byId("budgets").disabled = target.value === "free";
});
byId("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  useKey(byId("key").value.trim());
  byId("key").value = "";
  byId("key-form").hidden = true;
  showModel();
});

showSamples();
showModel();
