// An answer on the screen: the words, the sentences that they stand in, and what else was found.

import { count, icon, make, words } from "./element.js";
import { documentPath, fragment } from "./link.js";
import { cut } from "./offsets.js";
import { copy, placeOf, quoteOf } from "./quote.js";

// A longer answer, or one that is a whole sentence, is shown in its sentence only.
const LONGEST_HEADLINE = 160;
// What is less likely than this is noise.
const LEAST_CONFIDENT = 0.05;
// How the service itself tells about as confident from less.
const ABOUT_AS_CONFIDENT = 0.5;

/**
 * Return what a response shows. `open(citations, index)` opens a document at a citation; every link to one is a link
 * to the document's own page, too.
 */
export function answerView(response, { collection, open }) {
  const { answer, passages } = response;
  const alternatives = response.alternatives.filter((each) => each.confidence >= LEAST_CONFIDENT);
  const view = { collection, open };
  const nearest = passages.map((passage) => asCitation(passage, collection));
  if (!answer) {
    return make(
      "div",
      { className: "answer" },
      make("p", { className: "silence" }, "The documents do not say."),
      nearest.length > 0 && make("h3", {}, "The nearest passages"),
      nearest.length > 0 && passageList(nearest, view),
      folded("Guesses that are too unsure to be answers", alternatives.map((each) => sideOf(each, view))),
    );
  }
  const [rivals, others] = apart({ ...response, alternatives });
  const copies = (each) => copyButtons(response, each, collection);
  const body =
    rivals.length > 0
      ? [
          make("p", { className: "dispute" }, "The documents disagree."),
          make("div", { className: "sides" }, [answer, ...rivals].map((each) => sideOf(each, view, copies(each)))),
        ]
      : [headlineOf(answer), citationList(answer.citations, view), factsOf(response, copies(answer))];
  return make(
    "div",
    { className: "answer" },
    ...body,
    folded("Other readings", others.map((each) => sideOf(each, view))),
    folded(`${count(nearest.length, "passage")} found`, [nearest.length > 0 && passageList(nearest, view)]),
  );
}

/** Return a passage in the form of a citation, so that it opens like one. */
function asCitation(passage, collection) {
  const { start_char_index, end_char_index, text } = passage;
  const url = new URL(documentPath(collection, passage), location.origin).href;
  return { ...passage, cited_text: text, sentence: { start_char_index, end_char_index, text }, url };
}

/** Part the alternatives into those that the answer disagrees with, and others. */
function apart({ answer, alternatives, agreement }) {
  if (agreement !== "conflicting") {
    return [[], alternatives];
  }
  const sentences = new Set(answer.citations.map(sentenceKey));
  const disagrees = (each) =>
    each.confidence >= ABOUT_AS_CONFIDENT * answer.confidence &&
    !each.citations.some((citation) => sentences.has(sentenceKey(citation)));
  return [alternatives.filter(disagrees), alternatives.filter((each) => !disagrees(each))];
}

function sentenceKey({ document_id, sentence }) {
  return `${document_id} ${sentence.start_char_index} ${sentence.end_char_index}`;
}

function headlineOf({ text, citations }) {
  const isSentence = citations.some(({ sentence }) => sentence.text.trim() === text.trim());
  return isSentence || text.length > LONGEST_HEADLINE ? null : words(text, "p", "headline");
}

function sideOf(answer, view, more = []) {
  return make(
    "section",
    { className: "side", "aria-label": answer.text },
    headlineOf(answer),
    citationList(answer.citations, view),
    make("div", { className: "facts" }, sureness(answer.confidence), ...more),
  );
}

/** Return the sentences of citations, in each the cited words, and below it where it stands. */
function citationList(citations, view) {
  const groups = new Map();
  citations.forEach((citation, index) => {
    const key = sentenceKey(citation);
    groups.set(key, [...(groups.get(key) ?? []), { citation, index }]);
  });
  const items = [...groups.values()].map((group) => {
    const link = (index, content, className) => linkTo(citations, index, content, className, view);
    const [{ citation, index }] = group;
    return make(
      "li",
      {},
      make("blockquote", { dir: "auto" }, quoted(group, link)),
      sourceOf(citation, link(index, [words(citation.document_title)], "title")),
    );
  });
  return make("ul", { className: "citations" }, items);
}

/** Return a sentence in parts: the cited words as links, the others as text. */
function quoted(group, link) {
  const { sentence } = group[0].citation;
  const parts = [];
  let [rest, at] = [sentence.text, sentence.start_char_index];
  for (const { citation, index } of group.toSorted((a, b) => a.citation.start_char_index - b.citation.start_char_index)) {
    if (citation.start_char_index < at) {
      continue;
    }
    const [before, inside, after] = cut(rest, citation.start_char_index - at, citation.end_char_index - at);
    parts.push(before, link(index, [inside], "cited"));
    [rest, at] = [after, citation.end_char_index];
  }
  return [...parts, rest];
}

function linkTo(citations, index, content, className, { collection, open }) {
  return make(
    "a",
    {
      className,
      href: documentPath(collection, citations[index]),
      onclick: (event) => {
        if (!(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey)) {
          event.preventDefault();
          open(citations, index, event.currentTarget);
        }
      },
    },
    ...content,
  );
}

function sourceOf(citation, link) {
  const place = placeOf(citation).flatMap((part) => [" · ", words(part)]);
  return make("p", { className: "source" }, link, ...place);
}

function passageList(passages, view) {
  return make(
    "ol",
    { className: "passages" },
    passages.map((passage, index) =>
      make(
        "li",
        {},
        sourceOf(passage, linkTo(passages, index, [words(passage.document_title)], "title", view)),
        words(passage.text, "p"),
      ),
    ),
  );
}

function factsOf({ answer, agreement }, more) {
  const documents = new Set(answer.citations.map((each) => each.document_id)).size;
  return make(
    "div",
    { className: "facts" },
    sureness(answer.confidence),
    agreement === "corroborated" && make("span", {}, `Stands in ${count(documents, "document")}`),
    ...more,
  );
}

function copyButtons({ question, standalone_question }, { citations: [citation] }, collection) {
  const link = fragment({ question: standalone_question ?? question, collection, citation });
  return [
    copyButton("copy", "Copy quote", () => quoteOf(citation)),
    copyButton("chain", "Copy link", () => new URL(`/${link}`, location.origin).href),
  ];
}

function copyButton(name, label, text) {
  const onclick = (event) => copy(text(), event.currentTarget);
  return make("button", { type: "button", className: "plain", onclick }, icon(name), label);
}

/** Return how sure the service is of an answer, in words and as a bar. */
function sureness(confidence) {
  const percent = Math.round(confidence * 100);
  const bar = make("span", { className: "bar", "aria-hidden": "true" });
  bar.style.setProperty("--share", `${percent}%`);
  return make("span", { className: "sure" }, bar, `${percent} % sure`);
}

function folded(title, content) {
  const shown = content.filter(Boolean);
  return shown.length > 0 ? make("details", {}, make("summary", {}, title), ...shown) : null;
}
