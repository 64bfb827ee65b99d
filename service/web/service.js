// The service's HTTP API, as the page needs it.

import { keyHeaders } from "./key.js";
import { readEvents } from "./events.js";

/** What the service, or the way to it, says is wrong: a title, a detail that a person can act on, and the status. */
class Problem extends Error {
  constructor({ title, detail, status = 0 }) {
    super(detail);
    Object.assign(this, { title, detail, status });
  }
}

const UNREACHABLE = { title: "The service cannot be reached", detail: "Is it running? Try again when it is." };
const IN_PIECES = { title: "The answer did not come", detail: "The connection broke off. Ask again." };

/** Return the problem that a response holds; something can stand in front of the service that knows of no problems. */
function problemOf(status, text) {
  try {
    const { title, detail } = JSON.parse(text);
    return new Problem({ title, detail, status });
  } catch {
    return new Problem({ title: "The service failed", detail: `It answered with the status ${status}.`, status });
  }
}

async function send(method, path, { body, accept, signal } = {}) {
  const headers = keyHeaders();
  if (body) {
    headers["Content-Type"] = "application/json";
  }
  if (accept) {
    headers.Accept = accept;
  }
  let response;
  try {
    response = await fetch(path, { method, headers, signal, body: body && JSON.stringify(body) });
  } catch (error) {
    throw error.name === "AbortError" ? error : new Problem(UNREACHABLE);
  }
  if (!response.ok) {
    throw problemOf(response.status, await response.text());
  }
  return response;
}

const inCollection = (collection, more = {}) => new URLSearchParams({ collection, ...more });
const documentPath = (id) => `/v1/documents/${encodeURIComponent(id)}`;

/** Ask a question. `onRetrieved` gets the passages as soon as they are found; returns the answer. */
export async function ask(body, { onRetrieved, signal }) {
  const response = await send("POST", "/v1/ask", { body, accept: "text/event-stream", signal });
  try {
    for await (const { name, data } of readEvents(response.body)) {
      const content = JSON.parse(data);
      if (name === "retrieved") {
        onRetrieved(content.passages);
      } else if (name === "answered") {
        return content;
      } else if (name === "error") {
        throw new Problem(content);
      }
    }
  } catch (error) {
    if (error instanceof Problem || error.name === "AbortError") {
      throw error;
    }
  }
  throw new Problem(IN_PIECES);
}

/** Return a page of documents: `items` and `next_cursor`. */
export async function listDocuments(collection, { cursor, ...filters } = {}) {
  const query = inCollection(collection, { limit: 20, ...filters, ...(cursor && { cursor }) });
  return (await send("GET", `/v1/documents?${query}`)).json();
}

/** Return a document's description and its text. */
export async function readDocument(collection, id) {
  const query = inCollection(collection);
  const [described, text] = await Promise.all([
    send("GET", `${documentPath(id)}?${query}`).then((response) => response.json()),
    send("GET", `${documentPath(id)}/text?${query}`).then((response) => response.text()),
  ]);
  return { ...described, text };
}

export function deleteDocument(collection, id) {
  return send("DELETE", `${documentPath(id)}?${inCollection(collection)}`);
}

/** Return all collections that the key opens. */
export async function listCollections() {
  const found = [];
  let cursor = null;
  do {
    const query = new URLSearchParams({ limit: 200, ...(cursor && { cursor }) });
    const page = await (await send("GET", `/v1/collections?${query}`)).json();
    found.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor);
  return found;
}

export function createCollection(name) {
  return send("POST", "/v1/collections", { body: { name } });
}

export function deleteCollection(name) {
  return send("DELETE", `/v1/collections/${encodeURIComponent(name)}`);
}

/** Return how far a job has come, with what failed. */
export async function readJob(collection, id) {
  return (await send("GET", `/v1/jobs/${encodeURIComponent(id)}?${inCollection(collection)}`)).json();
}

/** Send a file. `onProgress` gets the share that is sent, 0 to 1; at 1 the service works on it. Returns what came of it. */
export function upload(collection, file, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(); // fetch tells nothing of how much is sent
    const form = new FormData();
    form.append("collection", collection);
    form.append("file", file);
    request.open("POST", "/v1/documents");
    for (const [name, value] of Object.entries(keyHeaders())) {
      request.setRequestHeader(name, value);
    }
    request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    request.upload.onload = () => onProgress(1);
    request.onerror = () => reject(new Problem(UNREACHABLE));
    request.onload = () =>
      request.status < 300
        ? resolve({ ...JSON.parse(request.responseText), status: request.status })
        : reject(problemOf(request.status, request.responseText));
    request.send(form);
  });
}
