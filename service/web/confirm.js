// The question before something is deleted.

import { byId, words } from "./element.js";

/** Ask before something is deleted; whoever closes the question has said no. */
export function confirmed(title, text) {
  const dialog = byId("confirm");
  byId("confirm-title").replaceChildren(words(title));
  byId("confirm-text").textContent = text;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.onclose = () => resolve(dialog.returnValue === "yes");
  });
}
