// One question and its answer on the page. What people and models write becomes text nodes only, never markup.
import { sectionsOf } from "./api.js";

export function element(name, properties = {}, ...children) {
  const out = Object.assign(document.createElement(name), properties);
  out.append(...children);
  return out;
}

const seconds = (n) => `${n < 10 ? n.toFixed(1) : Math.round(n)} s`;

let unfolded = false;  // the chain of thought, as the user left it at the last answer

export class Turn {
  constructor(question) {
    this.summary = element("summary", { textContent: "Listening…" });
    this.sections = element("div", { className: "sections" });
    this.chain = element("details", { className: "chain", open: unfolded }, this.summary, this.sections);
    this.chain.addEventListener("toggle", () => (unfolded = this.chain.open));
    this.response = element("p", { className: "response" });
    this.facts = element("p", { className: "note facts" });
    this.article = element("article", { className: "turn" }, element("p", { className: "asked", textContent: question }),
                           this.chain, this.response, this.facts);
    this.article.dataset.state = "asking";
    this.article.setAttribute("aria-busy", "true");
  }

  // As far as it is written.
  write({ content, chain }) {
    const sections = sectionsOf(chain);
    this.summary.textContent = content ? "Chain of thought" : `Thinking: ${(sections.at(-1)?.name || "…").toLowerCase()}`;
    sections.forEach(({ name, text }, i) => {
      const [title, words] = (this.sections.children[i] ?? this.#section()).children;
      title.textContent = name.toLowerCase();
      words.textContent = text;
    });
    this.response.textContent = content.trim();
  }

  finish({ content, finish, facts, usage }, wall) {
    this.#end("done");
    const heard = (facts?.audio ?? []).map((clip) => {
      const part = clip.truncated ? `${seconds(clip.heard_seconds)} of ` : "";
      return `${part}${seconds(clip.seconds)} heard`;
    });
    const kept = usage?.prompt_tokens_details.cached_tokens;
    const tokens = usage && `${usage.prompt_tokens} tokens read${kept ? ` (${kept} known from before)` : ""}, ` +
                              `${usage.completion_tokens} written`;
    const cut = facts?.cut?.length > 0 && `ended by their budget: ${facts.cut.join(", ")}`;
    const limit = finish === "length" && "the limit of tokens ended it";
    const aborted = finish === "abort" && "the server ended it";
    const writing = facts?.timings?.generate;
    const speed = writing > 0 && usage && `${Math.round(usage.completion_tokens / writing)} tokens a second`;
    this.facts.textContent = [...heard, tokens, speed, `${seconds(wall)} in all`, cut, limit, aborted].filter(Boolean).join(" · ");
    if (!content.trim()) this.#note("There is no response.");
  }

  stopped() {
    this.#end("stopped");
    this.#note("Stopped. The conversation goes on as if this had not been asked.");
  }

  fail(message) {
    this.#end("failed");
    this.article.append(element("p", { className: "error", role: "alert", textContent: message }));
  }

  #end(state) {
    this.summary.textContent = "Chain of thought";
    this.chain.hidden = this.sections.childElementCount === 0;
    this.response.hidden = this.response.textContent === "";
    this.article.dataset.state = state;
    this.article.removeAttribute("aria-busy");
  }

  #note(text) {
    this.article.append(element("p", { className: "note", textContent: text }));
  }

  #section() {
    const out = element("section", {}, element("h4"), element("p"));
    this.sections.append(out);
    return out;
  }
}
