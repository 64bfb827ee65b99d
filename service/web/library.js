// The pane of the documents: what a collection holds, what is added to it and deleted from it.

import { collection } from "./collections.js";
import { confirmed } from "./confirm.js";
import { announce, byId, count, icon, make, words } from "./element.js";
import { documentPath } from "./link.js";
import { deleteDocument, listDocuments } from "./service.js";

let shown = null; // the collection whose documents are listed
let cursor = null;
let changed = () => {};
let read = () => {};

/** Begin: `onChange` is called when documents came or went, `onRead` to open one. */
export function startLibrary({ onChange, onRead }) {
  changed = onChange;
  read = onRead;
  byId("more-documents").onclick = () => more();
}

/** Return the name of the collection whose documents are listed. */
export const listed = () => shown;

/** Show the documents of the collection that is asked, from the first. */
export async function showDocuments() {
  shown = collection();
  cursor = null;
  byId("library-place").replaceChildren("in ", words(shown));
  await more();
}

/** Show the next documents of the list. */
async function more() {
  const [from, of] = [cursor, shown];
  const list = byId("documents");
  try {
    const page = await listDocuments(of, { cursor: from });
    if (of !== shown || from !== cursor) {
      return; // another list has been asked for since
    }
    const items = page.items.map(itemOf);
    if (from) {
      list.append(...items);
      items[0]?.querySelector("a").focus();
    } else {
      list.replaceChildren(...items);
    }
    cursor = page.next_cursor;
    byId("more-documents").hidden = !cursor;
    if (list.childElementCount === 0) {
      list.append(make("li", { className: "quiet" }, "No documents yet."));
    }
  } catch (problem) {
    list.replaceChildren(make("li", { className: "bad" }, problem.detail));
  }
}

function itemOf(document) {
  const { id, title, source, characters, date } = document;
  const onclick = (event) => {
    if (!(event.ctrlKey || event.metaKey || event.shiftKey)) {
      event.preventDefault();
      read(document);
    }
  };
  const href = documentPath(shown, { document_id: id });
  const item = make(
    "li",
    {},
    make(
      "div",
      {},
      make("a", { href, onclick, className: "title" }, words(title)),
      make("p", { className: "source" }, words(source), ` · ${count(characters, "character")}`, date && ` · ${date}`),
    ),
    make(
      "button",
      { type: "button", className: "plain", "aria-label": `Delete ${title}`, onclick: () => remove(document, item) },
      icon("bin"),
    ),
  );
  return item;
}

async function remove({ id, title }, item) {
  const [from, neighbour] = [shown, item.nextElementSibling ?? item.previousElementSibling];
  if (!(await confirmed(`Delete “${title}”?`, "No answer will cite it from now on. This cannot be undone."))) {
    return;
  }
  try {
    await deleteDocument(from, id);
    announce(`${title} is deleted`);
    (neighbour?.querySelector("a") ?? byId("library-title")).focus();
    item.remove();
    changed();
  } catch (problem) {
    item.append(make("p", { className: "bad", role: "alert" }, problem.detail));
  }
}
