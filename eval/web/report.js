// Sorting and filtering of the questions. The page is complete without it.

// So many are shown at first: a browser takes seconds to lay out thousands of rows.
const STEP = 200;

document.documentElement.classList.add("scripted");
addEventListener("DOMContentLoaded", () => {
  const element = (id) => document.getElementById(id);
  const body = element("list").tBodies[0];
  const heads = [...element("list").tHead.rows[0].cells];
  const filters = ["verdict", "change", "split", "tag", "document"].map(element).filter(Boolean);
  const { compare } = new Intl.Collator("en", { numeric: true });
  const first = [...body.rows];
  let rows = first;
  let limit = STEP;

  /** Return a function that keeps what it has returned for a row: reading words takes time. */
  function kept(read) {
    const known = new Map();
    return (row) => {
      if (!known.has(row)) known.set(row, read(row));
      return known.get(row);
    };
  }

  const words = (selector) => (row) => [...row.querySelectorAll(selector)].map((each) => each.textContent);
  const textOf = kept((row) => row.textContent.toLowerCase());
  const named = { tag: kept(words("[data-tag]")), document: kept(words("[data-document]")) };

  function keeps({ id, value }, row) {
    if (id in named) return named[id](row).includes(value);
    if (id === "verdict" && value === "failed") return "failed" in row.dataset;
    if (id === "change" && value === "changed") return row.dataset.change !== "unchanged";
    if (id === "change" && value === "worse") return "regressed" in row.dataset;
    return row.dataset[id] === value;
  }

  function show() {
    const terms = element("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const active = filters.filter(({ value }) => value !== "");
    let found = 0;
    for (const row of rows) {
      const keep = active.every((each) => keeps(each, row)) && terms.every((term) => textOf(row).includes(term));
      if (keep) found += 1;
      row.hidden = !keep || found > limit;
    }
    const count = found === rows.length ? `${found} questions` : `${found} of ${rows.length} questions`;
    element("count").textContent = found > limit ? `${count}, the first ${limit} shown` : count;
    element("nothing").hidden = found > 0;
    element("rest").hidden = found <= limit;
  }

  function filter() {
    limit = STEP;
    show();
  }

  /** Return what a row is sorted by; null: it has nothing there, and comes last. */
  function valueOf(row, { cellIndex, dataset }) {
    const cell = row.cells[cellIndex];
    if (dataset.sort === "text") return (cell.querySelector(".asked") ?? cell).textContent;
    if (dataset.sort === "number") return Number.isNaN(Number(cell.textContent)) ? null : Number(cell.textContent);
    // The choices of a filter stand in the order of their weight.
    return [...element(dataset.sort).options].findIndex(({ value }) => value === row.dataset[dataset.sort]);
  }

  function sort(head) {
    const down = head.getAttribute("aria-sort") === "ascending";
    for (const each of heads) each.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const apart = head.dataset.sort === "text" ? compare : (a, b) => a - b;
    const valued = first.map((row) => [valueOf(row, head), row]);
    // Sorting is stable: what is equal stays in the order that the page came in.
    valued.sort(([a], [b]) => {
      if (a === null || b === null) return (a === null) - (b === null);
      return down ? apart(b, a) : apart(a, b);
    });
    rows = valued.map(([, row]) => row);
    filter();
    body.append(...rows);
  }

  for (const head of heads) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(head));
    head.append(button);
  }

  let waiting;
  element("search").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(filter, 120);
  });
  for (const each of filters) each.addEventListener("change", filter);
  element("filters").addEventListener("submit", (event) => event.preventDefault());
  // The event comes before the fields are reset.
  element("filters").addEventListener("reset", () => setTimeout(filter));
  element("more").addEventListener("click", () => {
    limit += STEP;
    show();
  });
  element("all").addEventListener("click", () => {
    limit = Infinity;
    show();
  });

  // A tag, a document or a verdict named elsewhere leads to its questions.
  for (const link of document.querySelectorAll("[data-filter]")) {
    link.addEventListener("click", () => {
      element("filters").reset();
      const select = element(link.dataset.filter);
      if (!select) return;
      select.value = link.dataset.value;
      // What has all its questions in a half that is not listed is no choice.
      if (select.selectedIndex < 0) select.value = "";
    });
  }

  element("filters").hidden = false;
  // A browser may have kept what was chosen before the page was loaded again.
  show();
  body.classList.add("ready");
});
