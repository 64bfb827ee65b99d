// Links: the part of the address behind `#`, which no browser sends anywhere, holds the question and the citation.

/** Return what a fragment holds: `question`, `collection`, and `citation`: a document and perhaps a span of it, or null. */
export function parse(fragment) {
  const fields = new URLSearchParams(fragment.replace(/^#/, ""));
  const span = /^(\d+),(\d+)$/.exec(fields.get("char") ?? "");
  const id = fields.get("document");
  return {
    question: (fields.get("q") ?? "").slice(0, 1000),
    collection: fields.get("collection"),
    citation: id && { document_id: id, ...(span && { start_char_index: Number(span[1]), end_char_index: Number(span[2]) }) },
  };
}

/** Return the fragment for a question and, where one is open, a citation. */
export function fragment({ question, collection, citation }) {
  const fields = new URLSearchParams();
  if (question) {
    fields.set("q", question);
  }
  if (collection !== "default") {
    fields.set("collection", collection);
  }
  if (citation) {
    fields.set("document", citation.document_id);
  }
  const head = fields.toString();
  return head && `#${head}${spanOf(citation, "&")}`;
}

/** Return the path of the page that shows a document alone, at a citation or passage where one is given. */
export function documentPath(collection, citation) {
  const query = collection === "default" ? "" : `?collection=${encodeURIComponent(collection)}`;
  return `/documents/${encodeURIComponent(citation.document_id)}${query}${spanOf(citation, "#")}`;
}

/** Return a span in the syntax of RFC 5147. */
function spanOf(citation, before) {
  const start = citation?.start_char_index;
  return start === undefined ? "" : `${before}char=${start},${citation.end_char_index}`;
}
