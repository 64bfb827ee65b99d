// Collections: which one is asked, and which there are.

import { confirmed } from "./confirm.js";
import { announce, byId, count, icon, make, words } from "./element.js";
import { createCollection, deleteCollection, listCollections } from "./service.js";

const DEFAULT = "default";

let chosen = DEFAULT;
let onChoose = () => {};

/** Return the name of the collection that is asked. */
export const collection = () => chosen;

/** Begin: `choose` is called with the name of every collection that is chosen from now on. */
export function startCollections(choose) {
  onChoose = choose;
  byId("collection").onchange = (event) => select(event.target.value);
  byId("new-collection").onsubmit = async (event) => {
    event.preventDefault();
    const field = byId("collection-name");
    try {
      await createCollection(field.value);
      announce(`The collection ${field.value} is there`);
      await showCollections(field.value);
      field.value = "";
      onChoose(chosen);
    } catch (problem) {
      field.setCustomValidity(problem.detail);
      field.reportValidity();
      field.oninput = () => field.setCustomValidity("");
    }
  };
}

function select(name) {
  chosen = name;
  byId("collection").value = name;
  for (const each of document.querySelectorAll("#collections .link")) {
    each.setAttribute("aria-pressed", String(each.textContent === name));
  }
  onChoose(name);
}

/** Show the collections that there are; choose the wanted one, or the one from before, where it is among them. */
export async function showCollections(wanted = chosen) {
  const found = await listCollections();
  const names = found.map(({ name }) => name);
  chosen = [wanted, chosen, DEFAULT].find((name) => names.includes(name)) ?? names[0] ?? DEFAULT;
  const options = found.map(({ name }) => make("option", { value: name }, name));
  byId("collection").replaceChildren(...options);
  byId("collection").value = chosen;
  byId("collections").replaceChildren(...found.map(itemOf));
  return found;
}

function itemOf({ name, documents }) {
  const choose = make(
    "button",
    { type: "button", className: "link", "aria-pressed": String(name === chosen), onclick: () => select(name) },
    words(name),
  );
  const remove = make(
    "button",
    { type: "button", className: "plain", "aria-label": `Delete the collection ${name}`, onclick: () => drop(name, documents) },
    icon("bin"),
  );
  const label = make("div", {}, choose, make("span", { className: "source" }, ` · ${count(documents, "document")}`));
  // The default one would be back, empty, at the next start.
  return make("li", {}, label, name === DEFAULT ? null : remove);
}

async function drop(name, documents) {
  const text = `All that is in it goes with it: ${count(documents, "document")}. This cannot be undone.`;
  if (!(await confirmed(`Delete the collection “${name}”?`, text))) {
    return;
  }
  try {
    await deleteCollection(name);
    announce(`The collection ${name} is deleted`);
    await showCollections();
    byId("collections-title").focus();
    onChoose(chosen);
  } catch (problem) {
    byId("collections").append(make("li", { className: "bad", role: "alert" }, problem.detail));
  }
}
