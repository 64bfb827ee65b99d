// A promptfoo provider that asks a running Citespan service: https://www.promptfoo.dev/docs/providers/custom-api/
//
// The output is the answer, and "" where the documents do not say. `metadata` has the rest of the response: confidence,
// agreement, and the citations with their places and sentences. Node 20 or newer.

export default class Citespan {
  constructor({ config = {} } = {}) {
    this.url = (config.url ?? "http://127.0.0.1:8000").replace(/\/+$/, "");
    this.collection = config.collection ?? "default";
    this.key = config.key ?? process.env.CITESPAN_API_KEY;
  }

  id() {
    return `citespan:${this.collection}`;
  }

  async callApi(prompt) {
    const headers = { "Content-Type": "application/json" };
    if (this.key) headers.Authorization = `Bearer ${this.key}`;
    let response;
    try {
      response = await fetch(`${this.url}/v1/ask`, {
        method: "POST",
        headers,
        body: JSON.stringify({ question: prompt, collection: this.collection }),
      });
    } catch (error) {
      return { error: `${this.url} does not answer (${error.cause?.code ?? error.message}); start the service.` };
    }
    const content = await response.json().catch(() => null);
    if (!response.ok || content === null) {
      return { error: `${response.status}: ${content?.detail ?? response.statusText}` };
    }
    return {
      output: content.answer?.text ?? "",
      metadata: {
        answerable: content.answerable,
        confidence: content.answer?.confidence ?? null,
        citations: content.answer?.citations ?? [],
        agreement: content.agreement,
        fingerprint: content.fingerprint,
      },
    };
  }
}
