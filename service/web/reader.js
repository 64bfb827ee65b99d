// The pane that shows a document at a citation.

import { announce, byId, words } from "./element.js";
import { documentPath } from "./link.js";
import { cut } from "./offsets.js";
import { copy, placeOf, quoteOf } from "./quote.js";
import { show } from "./reading.js";
import { readDocument } from "./service.js";

let shown = { citations: [], index: 0, collection: "default" };
let kept = {}; // the document that was read last

/** Forget what was read: documents may have changed. */
export function forgetTexts() {
  kept = {};
}

/** Return the citation that the pane shows. */
const current = () => shown.citations[shown.index];

/** Show a document at one of some citations. `onMove` is called when another one of them is chosen. */
export async function read(citations, index, collection, onMove = () => {}) {
  shown = { citations, index, collection };
  const citation = citations[index];
  describe(citation);
  byId("steps").hidden = citations.length < 2;
  byId("step").textContent = `${index + 1} of ${citations.length}`;
  const step = (by) => () => {
    onMove((index + by + citations.length) % citations.length);
  };
  byId("previous").onclick = step(-1);
  byId("next").onclick = step(1);
  byId("copy-quote").onclick = (event) => copy(quoteOf(current()), event.currentTarget);
  byId("copy-quote").hidden = !citation.sentence;
  byId("alone").href = documentPath(collection, citation);
  const same = kept.id === citation.document_id && kept.collection === collection;
  if (!same) {
    byId("reader-text").replaceChildren();
    say("Loading…");
  }
  try {
    kept = same ? kept : { ...(await readDocument(collection, citation.document_id)), collection };
  } catch (problem) {
    say(problem.detail);
    return;
  }
  if (current() === citation) {
    mark(citation, kept);
  }
}

/** Show the text with the cited words marked, unless other words stand there now. */
function mark(citation, { text, title, source, collection }) {
  describe(Object.assign(citation, { document_title: title, source }));
  const { start_char_index: start, end_char_index: end } = citation;
  if (start === undefined) {
    show(byId("reader-text"), text);
    say("");
    return;
  }
  const inside = cut(text, start, end)[1];
  // A link holds offsets alone.
  citation.cited_text ??= inside;
  citation.sentence ??= { start_char_index: start, end_char_index: end, text: inside };
  citation.url ??= new URL(documentPath(collection, citation), location.origin).href;
  byId("copy-quote").hidden = false;
  const stands = inside !== "" && inside === citation.cited_text;
  const { start_char_index: from, end_char_index: to } = citation.sentence;
  const marked = show(byId("reader-text"), text, stands ? { start, end } : null, { start: from, end: to });
  say(stands ? "" : "This document has changed: the cited words do not stand there any more.");
  if (marked) {
    announce(`${title}, opened at: ${marked}`);
  }
}

function describe(citation) {
  byId("reader-title").replaceChildren(words(citation.document_title ?? "Document"));
  const parts = [citation.source, ...placeOf(citation)].filter(Boolean);
  byId("reader-place").replaceChildren(...parts.flatMap((part, at) => (at ? [" · ", words(part)] : [words(part)])));
}

function say(text) {
  byId("reader-message").textContent = text;
  byId("reader-message").hidden = !text;
}
