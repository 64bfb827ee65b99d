// The page: questions and their answers, each citation a click away from its document.

import { collection, showCollections, startCollections } from "./collections.js";
import { announce, byId, make } from "./element.js";
import { askForKey } from "./key.js";
import { listed, showDocuments, startLibrary } from "./library.js";
import { fragment, parse } from "./link.js";
import { isNarrow, openPane, showPane } from "./pane.js";
import { forgetTexts, read } from "./reader.js";
import { ask, listDocuments } from "./service.js";
import { historyOf, Turn } from "./turn.js";
import { startUploads } from "./uploads.js";

// What may be asked of the documents that come with the project, where they are there.
const EXAMPLES = [
  ["000_1309baff04d3ecd8.txt", "How many fire trucks did the 2019 loan secure?"],
  ["002_406c166ef84e13d9.txt", "Who is the president of the Japanese Red Cross Society?"],
  ["003_78805ee65075331d.txt", "Where in Japan did Mongolia set up a consulate general in 2012?"],
];

const turns = [];
let reading = null; // what ends the question that is being answered
let asked = { question: "", collection: "default" };

/* The address holds what is shown. A pane has an entry of its own in the history, so that "back" closes it. */

function address(citation = null) {
  return `${location.pathname}${fragment({ ...asked, citation })}`;
}

function openBeside(name, citation, from) {
  if (openPane() === name) {
    history.replaceState(history.state, "", address(citation));
  } else {
    history.pushState({ pane: name, pushed: true }, "", address(citation));
  }
  showPane(name, from);
}

function closeBeside() {
  if (history.state?.pushed) {
    history.back();
  } else {
    history.replaceState(null, "", address());
    showPane(null);
  }
}

function openCitation(citations, index, of, from) {
  openBeside("reader", citations[index], from);
  return read(citations, index, of, (moved) => openCitation(citations, moved, of, from));
}

function openLibrary(from) {
  openBeside("library", null, from);
  showDocuments();
}

/** Show what the address says: where it comes from a link, or from going back. */
function follow() {
  const link = parse(location.hash);
  const { question } = link;
  if (question !== asked.question && turns.every((turn) => turn.question !== question) && question) {
    restore(link);
    return;
  }
  asked = { question, collection: link.collection ?? "default" };
  if (history.state?.pane === "library") {
    showPane("library");
    showDocuments();
  } else if (link.citation) {
    showPane("reader");
    readLinked(link);
  } else {
    showPane(null);
  }
}

/** Read the citation of a link: one of those on the page where it is there, so that the others are beside it. */
function readLinked({ citation, collection: of }) {
  const same = (each) => Object.entries(citation).every(([name, value]) => each[name] === value);
  const lists = turns.map((turn) => turn.response.answer?.citations ?? []);
  const citations = lists.findLast((each) => each.some(same)) ?? [citation];
  const index = citations.findIndex(same);
  const name = of ?? "default";
  return read(citations, index, name, (moved) => openCitation(citations, moved, name));
}

/** Ask the question of a link, and open its citation. */
async function restore(link) {
  const name = link.collection ?? "default";
  if (name !== collection()) {
    await showCollections(name);
  }
  if (name === collection()) {
    await answer(link.question, link.citation);
  } else {
    trouble({ title: "This link cannot be followed", detail: `There is no collection “${name}” here.` });
  }
}

/* Questions */

async function answer(question, linked = null) {
  reading?.abort();
  const stop = (reading = new AbortController());
  const of = collection();
  asked = { question, collection: of };
  const kept = openPane() === "reader" && !isNarrow();
  if (openPane() && !kept) {
    showPane(null);
  }
  history.replaceState(kept ? history.state : null, "", address());
  byId("welcome").hidden = byId("trouble").hidden = true;
  document.title = `${question} · Citespan`;
  const turn = new Turn(question, of);
  busy(true);
  try {
    const before = historyOf(turns.filter((each) => each.collection === of));
    const body = { question, collection: of, ...(before.length && { history: before }) };
    const response = await ask(body, { onRetrieved: (passages) => turn.retrieved(passages), signal: stop.signal });
    forgetTexts();
    turns.push(turn);
    turn.answered(response, (citations, index, from) => {
      asked = { question, collection: of }; // it may be an older turn's
      openCitation(citations, index, of, from);
    });
    if (linked) {
      openBeside("reader", linked, byId("question"));
      await readLinked({ citation: linked, collection: of });
    } else if (kept && response.answer) {
      // Who reads beside the conversation goes on to where the new answer stands.
      history.replaceState(history.state, "", address(response.answer.citations[0]));
      read(response.answer.citations, 0, of, (moved) => openCitation(response.answer.citations, moved, of));
    }
  } catch (problem) {
    if (problem.name === "AbortError") {
      turn.drop();
      if (reading === stop) {
        announce("Stopped");
        byId("welcome").hidden = turns.length > 0;
        byId("question").value ||= question;
      }
    } else if (problem.status === 401) {
      turn.drop();
      needKey(401, begin); // the address holds the question
    } else {
      turn.failed(problem, () => {
        turn.drop();
        answer(question, linked);
      });
    }
  } finally {
    if (reading === stop) {
      reading = null;
      busy(false);
    }
  }
}

function busy(is) {
  byId("send").setAttribute("aria-label", is ? "Stop" : "Ask");
  byId("send").firstElementChild.className = `icon ${is ? "stop" : "up"}`;
}

function grow() {
  const field = byId("question");
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
}

function submit(event) {
  event.preventDefault();
  if (reading) {
    reading.abort();
    return;
  }
  const question = byId("question").value.trim();
  if (question) {
    byId("question").value = "";
    grow();
    answer(question);
  }
}

/* What there is to ask */

async function welcome() {
  const page = await listDocuments(collection(), { limit: 1 });
  byId("empty").hidden = page.items.length > 0;
  const sources = new Set();
  if (collection() === "default" && page.items.length > 0) {
    const query = EXAMPLES.map(([source]) => listDocuments("default", { limit: 1, source }));
    (await Promise.all(query)).forEach(({ items }) => items.forEach(({ source }) => sources.add(source)));
  }
  const items = EXAMPLES.filter(([source]) => sources.has(source)).map(([, question]) =>
    make("li", {}, make("button", { type: "button", onclick: () => example(question) }, question)),
  );
  byId("examples").replaceChildren(...items);
  byId("examples").hidden = items.length === 0;
}

function example(question) {
  answer(question);
  if (!isNarrow()) {
    byId("question").focus({ preventScroll: true }); // the button is gone
  }
}

function needKey(status, again) {
  const wasGiven = !byId("key-form").hidden;
  askForKey(status, again);
  byId("key-message").textContent = wasGiven && status === 401 ? "That key does not open this service." : "";
  document.body.classList.toggle("locked", status === 401);
  if (status === 401) {
    byId("key").focus();
  }
}

/** Load what the page needs; asks for a key, and begins again with it, where one is needed. */
async function begin() {
  const link = parse(location.hash);
  byId("trouble").hidden = true;
  try {
    await showCollections(link.collection ?? undefined);
    needKey(200);
    await welcome();
    if (link.question) {
      restore(link);
    } else {
      const isTyping = document.activeElement === byId("question");
      follow();
      if (isTyping || !openPane()) {
        byId("question").focus();
      }
    }
  } catch (problem) {
    if (problem.status === 401) {
      needKey(401, begin);
      return;
    }
    trouble(problem);
  }
}

function trouble({ title, detail }) {
  byId("trouble").textContent = `${title}. ${detail}`;
  byId("trouble").hidden = false;
}

startCollections(() => {
  if (turns.length === 0) {
    welcome().catch(() => {});
  }
  if (openPane() === "library") {
    showDocuments();
  }
});

function documentsChanged() {
  forgetTexts();
  showCollections().catch(() => {});
  if (turns.length === 0) {
    welcome().catch(() => {});
  }
}

startLibrary({
  onChange: documentsChanged,
  onRead: ({ id, title, source }) => {
    asked = { question: "", collection: collection() };
    openCitation([{ document_id: id, document_title: title, source }], 0, collection(), byId("open-library"));
  },
});
startUploads({
  onDrop: () => openPane() === "library" || openLibrary(byId("open-library")),
  onChange: (of) => {
    documentsChanged();
    if (of === listed()) {
      showDocuments();
    }
  },
});

byId("ask").onsubmit = submit;
byId("question").oninput = grow;
byId("question").onkeydown = (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    submit(event);
  }
};
byId("open-library").onclick = (event) => (openPane() === "library" ? closeBeside() : openLibrary(event.currentTarget));
byId("first-documents").onclick = (event) => openLibrary(event.currentTarget);
byId("close-library").onclick = byId("close-reader").onclick = closeBeside;
addEventListener("popstate", follow);
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && openPane() && !document.querySelector("dialog[open]")) {
    closeBeside();
  } else if (event.key === "/" && !event.target.closest("input, textarea, select") && !document.body.matches(".covered")) {
    event.preventDefault();
    byId("question").focus();
  }
});
begin();
