// Quotes: a citation's sentence with its source, for the clipboard.

import { announce } from "./element.js";

/** Return where a citation stands, in words: the section and the page, as far as they are known. */
export function placeOf({ section, page, document_title }) {
  const parts = [section !== document_title && section, page && `p. ${page}`];
  return parts.filter(Boolean);
}

/** Return a citation as a quote with its source. */
export function quoteOf(citation) {
  const source = [citation.document_title, ...placeOf(citation)].join(", ");
  return `“${citation.sentence.text.trim()}”\n— ${source} (${citation.source})\n${citation.url}`;
}

/** Copy a text; the button that asked for it says whether it worked. */
export async function copy(text, button) {
  let done = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    done = copyFromField(text, button); // the clipboard is closed to pages that come over plain HTTP
  }
  announce(done ? "Copied" : "The clipboard cannot be used here");
  const label = button.lastChild;
  button.dataset.label ??= label.textContent;
  label.textContent = done ? "Copied" : "Cannot copy";
  setTimeout(() => (label.textContent = button.dataset.label), 1600);
}

function copyFromField(text, button) {
  const field = document.createElement("textarea");
  field.className = "unseen";
  field.value = text;
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  button.focus();
  return done;
}
