// Server-sent events, read from the body of any response (`EventSource` can only GET).

/** Yield `{name, data}` for each event of a stream of bytes (WHATWG HTML, section 9.2.6; ids and retries left out). */
export async function* readEvents(body) {
  let name = "message";
  let data = [];
  for await (const line of lines(body.pipeThrough(new TextDecoderStream()))) {
    if (line === "") {
      if (data.length) {
        yield { name, data: data.join("\n") };
      }
      name = "message";
      data = [];
      continue;
    }
    const [, field, value] = /^([^:]*):? ?(.*)$/.exec(line);
    if (field === "event") {
      name = value;
    } else if (field === "data") {
      data.push(value);
    }
  }
}

async function* lines(stream) {
  const reader = stream.getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) {
        return;
      }
      const parts = (rest + value).split(/\r?\n/);
      rest = parts.pop();
      yield* parts;
    }
  } finally {
    reader.cancel().catch(() => {}); // whoever has read enough lets the service go
  }
}
