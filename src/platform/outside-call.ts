/** Calls of services that others run: within a time, without following them elsewhere, and without reading more than they may say. */
import type { Config } from "../config.ts";
import { refusalOf } from "./outside-address.ts";
import { traceHeaders } from "./trace.ts";

/** Of an answer, what is read at most. */
const ANSWER_BYTES = 4096;

export type OutsideCall = { url: string; body: string; headers: Record<string, string>; timeoutMs: number };

/** What they answered: `text` is cut at 4 KiB. */
export type OutsideAnswer = { status: number; text: string };

/**
 * POSTs JSON. A redirect is an answer like any other. What goes wrong on the way, on their side or in time, throws; so
 * does an address that must not be called (any more).
 */
export async function postOutside(settings: Config, call: OutsideCall): Promise<OutsideAnswer> {
  const refusal = refusalOf(call.url, settings);
  if (refusal) throw new Error(`The address ${refusal}.`);
  const giveUp = new AbortController();
  // A timer that goes on after its call would keep an object awake, which `AbortSignal.timeout` does.
  const timer = setTimeout(() => giveUp.abort(new Error(`No answer within ${call.timeoutMs} ms.`)), call.timeoutMs);
  try {
    const response = await fetch(call.url, {
      method: "POST",
      redirect: "manual",
      body: call.body,
      headers: { "Content-Type": "application/json", "User-Agent": "Roomcast", ...traceHeaders(), ...call.headers },
      signal: giveUp.signal,
    });
    return { status: response.status, text: await beginningOf(response) };
  } finally {
    clearTimeout(timer);
  }
}

/** The rest is not waited for. */
async function beginningOf({ body }: Response): Promise<string> {
  if (!body) return "";
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (let read = 0; read < ANSWER_BYTES; ) {
    const { done, value } = await reader.read();
    if (done) break;
    const part: Uint8Array = value;
    text += decoder.decode(part.subarray(0, ANSWER_BYTES - read), { stream: true });
    read += part.byteLength;
  }
  await reader.cancel();
  return text;
}
