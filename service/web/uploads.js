// Files that are added: chosen or dropped, sent one after the other, each with its progress.

import { collection } from "./collections.js";
import { announce, byId, count, make, words } from "./element.js";
import { readJob, upload } from "./service.js";

const OUTCOMES = ["added", "replaced", "unchanged", "failed"];
const POLL_MS = 1000;

let changed = () => {};

/**
 * Begin: let files be chosen, and dropped anywhere on the page. `onDrop` is called before files that were dropped are
 * added, `onChange` with the name of the collection whenever documents came.
 */
export function startUploads({ onDrop, onChange }) {
  changed = onChange;
  byId("files").onchange = (event) => {
    add([...event.target.files]);
    event.target.value = "";
  };
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
      add(files);
    }
  });
}

/** Add files to the collection that is asked. */
async function add(files) {
  const of = collection();
  const waiting = files.map((file) => ({ file, row: rowOf(file) }));
  byId("uploads").append(...waiting.map(({ row }) => row.element));
  for (const { file, row } of waiting) {
    try {
      const outcome = await upload(of, file, row.progress);
      row.end(await told(outcome, of, row.progress));
    } catch (problem) {
      row.end({ text: problem.detail, className: "bad" });
    }
    announce(`${file.name}: ${row.element.textContent.slice(file.name.length)}`);
    changed(of);
  }
}

/** Return what to tell of an outcome: a document's receipt, a report of many, or a job that is followed to its end. */
async function told(outcome, of, progress) {
  let report = outcome;
  while (["waiting", "running"].includes(report.state)) {
    progress(1, report.total ? report.done / report.total : undefined);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    report = await readJob(of, report.id);
  }
  if (report.passages !== undefined) {
    const text = `${outcome.status === 201 ? "Added" : "Up to date"} · ${count(report.passages, "passage")}`;
    return { text, className: "good" };
  }
  const counted = OUTCOMES.filter((name) => report[name] > 0).map((name) => `${report[name]} ${name}`);
  const wrong = report.error ?? report.failures[0]?.detail ?? "";
  const text = [counted.join(", ") || "Nothing to add", wrong].filter(Boolean).join(" · ");
  return { text, className: wrong ? "bad" : "good" };
}

function rowOf(file) {
  const bar = make("progress", { max: 1, value: 0, "aria-label": `Sending ${file.name}` });
  const state = make("span", { className: "quiet" }, "Waiting");
  return {
    element: make("li", {}, words(file.name), state, bar),
    /** Show which share is sent and, then, which share is read, as far as that is known. */
    progress(sent, read) {
      state.textContent = sent < 1 ? `${Math.round(sent * 100)} %` : "Reading…";
      bar.value = sent < 1 ? sent : (read ?? 1);
      if (sent === 1 && read === undefined) {
        bar.removeAttribute("value");
      }
    },
    end({ text, className }) {
      bar.remove();
      state.className = className;
      state.textContent = text;
    },
  };
}
