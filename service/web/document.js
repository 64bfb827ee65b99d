// The page of one document, with the span of the address's fragment (`#char=start,end`, RFC 5147) marked.

import { byId, words } from "./element.js";
import { askForKey } from "./key.js";
import { show } from "./reading.js";
import { readDocument } from "./service.js";

const id = location.pathname.split("/").pop(); // ids need no escapes; anything else is none
const collection = new URLSearchParams(location.search).get("collection") ?? "default";

function say(text) {
  byId("message").textContent = text;
  byId("message").hidden = !text;
}

function mark(text) {
  // Who adds a directive of text to the address (`#:~:text=…`) leaves its number sign behind.
  const span = /^#char=(\d+),(\d+)#?$/.exec(location.hash);
  show(byId("text"), text, span && { start: Number(span[1]), end: Number(span[2]) });
}

async function load() {
  say("Loading…");
  try {
    const { title, source, text } = await readDocument(collection, id);
    askForKey(200, load);
    document.title = `${title} · Citespan`;
    byId("title").replaceChildren(words(title));
    byId("source").replaceChildren(words(source));
    say("");
    mark(text);
    addEventListener("hashchange", () => mark(text));
  } catch (problem) {
    askForKey(problem.status, load);
    say(problem.status === 401 ? "" : problem.detail);
  }
}

load();
