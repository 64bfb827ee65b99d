// Reads a JSON list of Markdown texts, and prints what the parsers of front ends make of each: the addresses of its
// links and images, its HTML, and the text that it shows. `marked` is Open WebUI's; the other one is that of LibreChat
// and of most front ends written in React (remark), with GitHub's addition that makes bare addresses into links.
import { text as read } from "node:stream/consumers";
import { marked } from "marked";
import { fromMarkdown } from "mdast-util-from-markdown";
import { gfmFromMarkdown } from "mdast-util-gfm";
import { gfm } from "micromark-extension-gfm";

function seenByMarked(markdown) {
  const seen = { links: [], html: [] };
  marked.walkTokens(marked.lexer(markdown), (token) => {
    if (token.type === "link" || token.type === "image" || token.type === "def") seen.links.push(token.href);
    if (token.type === "html") seen.html.push(token.raw);
  });
  return seen;
}

function seenByRemark(markdown) {
  const seen = { links: [], html: [] };
  const visit = (node) => {
    if (node.type === "link" || node.type === "image" || node.type === "definition") seen.links.push(node.url);
    if (node.type === "html") seen.html.push(node.value);
    (node.children ?? []).forEach(visit);
  };
  visit(fromMarkdown(markdown, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] }));
  return seen;
}

const texts = JSON.parse(await read(process.stdin));
console.log(JSON.stringify(texts.map((text) => [seenByMarked(text), seenByRemark(text)])));
