// The text of a document on the screen, with a span of it marked.

import { make } from "./element.js";
import { cut } from "./offsets.js";

// A long text is laid out in pieces, of which the browser draws those that are seen.
const PIECE = 4000;
// A span of so many units is a passage rather than an answer, and is marked more lightly.
const LONG = 300;

/** Return whole lines of a text, together about `PIECE` units long, until it ends. */
function pieces(text) {
  const found = [];
  for (let start = 0; start < text.length; ) {
    const line = text.indexOf("\n", start + PIECE);
    const end = line < 0 ? text.length : line + 1;
    found.push(make("div", { className: "piece" }, text.slice(start, end)));
    start = end;
  }
  return found;
}

/**
 * Show a text in `place`, with the span from `start` to `end` (code points) marked and its sentence tinted, and scroll
 * to it. Returns the marked words, or null without a span.
 */
export function show(place, text, span = null, sentence = null) {
  if (!span) {
    place.replaceChildren(...pieces(text));
    place.scrollTop = 0;
    return null;
  }
  const [before, inside, after] = cut(text, span.start, span.end);
  const mark = make("mark", { className: inside.length > LONG ? "long" : "" }, inside);
  const opening = before.lastIndexOf("\n") + 1;
  const closing = after.indexOf("\n") < 0 ? after.length : after.indexOf("\n") + 1;
  const [lead, tail] = [before.slice(opening), after.slice(0, closing)];
  const [from, to] = sentence ? within(text, before, inside, sentence) : [0, 0];
  const begun = Math.min(from, lead.length);
  const ended = Math.min(to, tail.length);
  const marked = make(
    "div",
    { className: "piece seen" },
    lead.slice(0, lead.length - begun),
    make("span", { className: "sentence" }, lead.slice(lead.length - begun), mark, tail.slice(0, ended)),
    tail.slice(ended),
  );
  place.replaceChildren(...pieces(before.slice(0, opening)), marked, ...pieces(after.slice(closing)));
  center(mark);
  return mark.textContent;
}

/** Return how many units of the sentence stand before the span, and how many after it. */
function within(text, before, inside, sentence) {
  const [ahead, whole] = cut(text, sentence.start, sentence.end);
  const leading = Math.max(0, before.length - ahead.length);
  return [leading, Math.max(0, whole.length - leading - inside.length)];
}

/** Scroll to an element; again when the pieces around it have found their size. */
function center(element) {
  element.scrollIntoView({ block: "center" });
  requestAnimationFrame(() => element.scrollIntoView({ block: "center" }));
}
