// Asks the service through the Vercel AI SDK, whole and streamed, and prints what came as JSON.
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, streamText } from "ai";

const [baseURL, model, prompt] = process.argv.slice(2);
const citespan = createOpenAICompatible({
  name: "citespan",
  baseURL,
  apiKey: process.env.CITESPAN_API_KEY,
  includeUsage: true,
});
const question = { model: citespan(model), prompt, maxRetries: 0 };

async function attempt(work) {
  try {
    return await work();
  } catch (error) {
    return { error: error.message, status: error.statusCode ?? null };
  }
}

const whole = await attempt(async () => {
  const { text, finishReason, usage } = await generateText(question);
  return { text, finishReason, usage };
});

const streamed = await attempt(async () => {
  const result = streamText({ ...question, onError: () => {} });
  const parts = [];
  for await (const part of result.stream ?? result.fullStream) {
    parts.push(part.type);
    if (part.type === "error") throw part.error;
  }
  return { text: await result.text, finishReason: await result.finishReason, usage: await result.usage, parts };
});

console.log(JSON.stringify({ whole, streamed }));
