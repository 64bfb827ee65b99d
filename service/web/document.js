import { askForKey, getWithKey } from "./key.js";
import { cut } from "./offsets.js";

const element = (id) => document.getElementById(id);
const path = `/v1/documents/${location.pathname.split("/").pop()}`;
const collection = new URLSearchParams(location.search).get("collection");
const query = collection ? `?collection=${encodeURIComponent(collection)}` : "";

function say(words) {
  element("message").textContent = words;
  element("message").hidden = !words;
}

/** Show the text with the span of the address's fragment (`#char=start,end`, RFC 5147) marked. */
function show(text) {
  const span = /^#char=(\d+),(\d+)$/.exec(location.hash);
  if (!span) {
    element("text").textContent = text;
    return;
  }
  const [before, inside, after] = cut(text, Number(span[1]), Number(span[2]));
  const mark = document.createElement("mark");
  mark.textContent = inside;
  element("text").replaceChildren(before, mark, after);
  mark.scrollIntoView({ block: "center" });
}

async function load() {
  say("Loading…");
  try {
    const [described, text] = await Promise.all([
      getWithKey(path + query),
      getWithKey(`${path}/text${query}`),
    ]);
    askForKey(described.status, load);
    if (!described.ok || !text.ok) {
      say(described.status === 401 ? "" : (await described.json()).detail);
      return;
    }
    const { title, source } = await described.json();
    document.title = `${title} · Citespan`;
    element("title").textContent = title;
    element("source").textContent = source;
    const words = await text.text();
    say("");
    show(words);
    addEventListener("hashchange", () => show(words));
  } catch {
    say("The service cannot be reached.");
  }
}

load();
