import { askForKey, getWithKey, keyHeaders } from "./key.js";

async function load() {
  const response = await getWithKey("/openapi.json");
  askForKey(response.status, load);
  if (!response.ok) {
    return;
  }
  SwaggerUIBundle({
    spec: await response.json(),
    dom_id: "#api",
    deepLinking: true,
    requestInterceptor: (request) => Object.assign(request, { headers: { ...request.headers, ...keyHeaders() } }),
  });
}

load();
