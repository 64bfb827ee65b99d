// The pane of the documents: what a collection holds, what is added to it and deleted from it.

import { collection } from "./collections.js";
import { confirmed } from "./confirm.js";
import { announce, byId, count, icon, make, words } from "./element.js";
import { documentPath } from "./link.js";
import { deleteDocument, listDocuments, upload } from "./service.js";

let shown = null; // the collection whose documents are listed
let cursor = null;
let changed = () => {};
let read = () => {};

/** Begin: `onChange` is called when documents came or went, `onRead` to open one. */
export function startLibrary({ onChange, onRead }) {
  changed = onChange;
  read = onRead;
  byId("more-documents").onclick = () => more();
  byId("files").onchange = (event) => {
    addFiles([...event.target.files]);
    event.target.value = "";
  };
}

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

/** Add files to the collection that is asked, one after the other, each with its progress. */
async function addFiles(files) {
  const of = collection();
  const waiting = files.map((file) => {
    const row = rowOf(file);
    byId("uploads").append(row.element);
    return { file, row };
  });
  for (const { file, row } of waiting) {
    try {
      const receipt = await upload(of, file, row.progress);
      row.done(receipt);
      announce(`${file.name} is added`);
      changed();
      if (of === shown) {
        await showDocuments();
      }
    } catch (problem) {
      row.failed(problem);
      announce(`${file.name} could not be added. ${problem.detail}`);
    }
  }
}

function rowOf(file) {
  const bar = make("progress", { max: 1, value: 0, "aria-label": `Sending ${file.name}` });
  const state = make("span", { className: "quiet" }, "Waiting");
  const element = make("li", {}, words(file.name), state, bar);
  const end = (text, className) => {
    bar.remove();
    state.className = className;
    state.textContent = text;
  };
  return {
    element,
    progress(share) {
      bar.value = share;
      state.textContent = share < 1 ? `${Math.round(share * 100)} %` : "Reading…";
      if (share === 1) {
        bar.removeAttribute("value"); // how long the service works on it is not known
      }
    },
    done: ({ status, passages }) => end(`${status === 201 ? "Added" : "Up to date"} · ${count(passages, "passage")}`, "good"),
    failed: ({ detail }) => end(detail, "bad"),
  };
}

/** Let files be dropped anywhere on the page; `onDrop` is called before they are added. */
export function acceptDrops(onDrop) {
  const landing = byId("landing");
  const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");
  addEventListener("dragover", (event) => {
    if (holdsFiles(event)) {
      event.preventDefault();
      landing.firstElementChild.replaceChildren("Drop to add to ", words(collection()));
      landing.hidden = false;
    }
  });
  addEventListener("dragleave", (event) => {
    landing.hidden ||= event.relatedTarget === null;
  });
  addEventListener("drop", (event) => {
    landing.hidden = true;
    if (holdsFiles(event)) {
      event.preventDefault();
      const files = [...event.dataTransfer.files];
      onDrop();
      addFiles(files);
    }
  });
}
