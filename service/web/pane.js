// The panes beside the conversation: one at a time. On a narrow screen a pane covers everything, as a sheet.

import { byId } from "./element.js";

const NARROW = matchMedia("(max-width: 59.99rem)");
const PANES = ["reader", "library"];

let open = null;
let opener = null;

export const isNarrow = () => NARROW.matches;
export const openPane = () => open;

/** Show a pane, or none, and lead the focus into it and, when it closes, back to what opened it. */
export function showPane(name, from = document.activeElement) {
  if (name && !open) {
    opener = from;
  }
  const before = open;
  open = name;
  for (const each of PANES) {
    byId(each).hidden = each !== name;
  }
  document.body.classList.toggle("beside", name !== null);
  byId("open-library").setAttribute("aria-expanded", String(name === "library"));
  coverRest();
  if (name) {
    byId(`${name}-title`).focus({ preventScroll: true });
  } else if (before) {
    const back = opener?.isConnected ? opener : byId("question");
    back.focus({ preventScroll: true });
  }
}

/** What a sheet covers can be neither seen nor reached. */
function coverRest() {
  const covered = open !== null && NARROW.matches;
  byId("bar").inert = byId("conversation").inert = covered;
  document.body.classList.toggle("covered", covered);
}

NARROW.addEventListener("change", coverRest);
