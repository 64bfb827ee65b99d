// A turn of the conversation: a question, where the answer is looked for, and what came of it.

import { answerView } from "./answer.js";
import { announce, byId, count, make, words } from "./element.js";

const STILL = matchMedia("(prefers-reduced-motion: reduce)");

export class Turn {
  /** Begin a turn below the others. */
  constructor(question, collection) {
    this.question = question;
    this.collection = collection;
    this.response = null;
    this.body = make("div", { className: "body" });
    this.element = make("article", { className: "turn" }, words(question, "h2"), this.body);
    byId("turns").append(this.element);
    this.#wait("Looking…");
    this.element.scrollIntoView({ behavior: STILL.matches ? "auto" : "smooth" });
  }

  /** Show where the answer is looked for. */
  retrieved(passages) {
    const titles = [...new Set(passages.map((passage) => passage.document_title))];
    if (titles.length > 0) {
      this.#wait(`Reading ${count(passages.length, "passage")} of`, titles);
    }
  }

  /** Show the answer. */
  answered(response, open) {
    this.response = response;
    const { answer, agreement, standalone_question } = response;
    const read = standalone_question && make("p", { className: "read-as" }, "Read as: ", words(standalone_question));
    this.body.replaceChildren(...[read, answerView(response, { collection: this.collection, open })].filter(Boolean));
    if (!answer) {
      announce("The documents do not say. The nearest passages follow.");
    } else {
      const [{ document_title }] = answer.citations;
      announce(`${agreement === "conflicting" ? "The documents disagree. " : ""}Answer: ${answer.text}. From ${document_title}.`);
    }
  }

  /** Show what went wrong; `again` asks once more. */
  failed({ title, detail }, again) {
    this.body.replaceChildren(
      make(
        "div",
        { className: "problem" },
        make("p", {}, make("strong", {}, `${title}.`), " ", words(detail)),
        make("button", { type: "button", onclick: again }, "Ask again"),
      ),
    );
    announce(`${title}. ${detail}`);
  }

  /** Take the turn away. */
  drop() {
    this.element.remove();
  }

  #wait(text, titles = []) {
    announce(`${text} ${titles.join(", ")}`);
    const list = make("ul", {}, titles.map((title) => make("li", {}, words(title))));
    this.body.replaceChildren(make("div", { className: "waiting" }, make("p", {}, text), list));
  }
}

/** Return what was said in some turns, as the service takes it: the last ones, each no longer than it may be. */
export function historyOf(turns) {
  return turns
    .filter((turn) => turn.response)
    .slice(-10)
    .flatMap(({ question, response }) => [
      { role: "user", content: question },
      { role: "assistant", content: (response.answer?.text ?? "The documents do not say.").slice(0, 5000) },
    ]);
}
