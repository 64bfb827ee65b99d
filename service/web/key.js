// The key of the service, where it needs one: asked for once a tab, kept until the tab is closed.

const KEY = "citespan-key";

/** Return the headers that a request needs. */
export function keyHeaders() {
  const key = sessionStorage.getItem(KEY);
  return key ? { Authorization: `Bearer ${key}` } : {};
}

/** Fetch a URL of the service with the key. */
export function getWithKey(url) {
  return fetch(url, { headers: keyHeaders() });
}

/** Show the form that asks for a key if `status` says that one is needed; `again` is called when it is given. */
export function askForKey(status, again) {
  const form = document.getElementById("key-form");
  form.hidden = status !== 401;
  form.onsubmit = (event) => {
    event.preventDefault();
    sessionStorage.setItem(KEY, document.getElementById("key").value);
    again();
  };
}
