/**
 * One structured JSON line for each thing that happened (SPEC 11). Never a token, password, stream key or message text:
 * callers name what they log, and paths are logged without their query.
 */
import { countFailure } from "./metrics.ts";
import { traceId } from "./trace.ts";

type Line = Record<string, string | number | boolean | null | undefined>;

/** Writes a line, with its trace if there is one. `event` is dotted: `http.request`, `socket.open`, `admin.ban`, `webhook.publish`. */
export function logEvent(event: string, fields: Line): void {
  // biome-ignore lint/suspicious/noConsole: the platform's log is the console.
  console.log(JSON.stringify({ time: new Date().toISOString(), event, traceId: traceId(), ...fields }));
}

/** A failure that nobody waits for an answer to. Its text stays in the log. */
export function logFailure(by: { requestId: string }, event: string, thrown: unknown, fields: Line = {}): void {
  countFailure(event);
  logEvent(event, {
    level: "error",
    requestId: by.requestId,
    ...fields,
    error: thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown),
    cause: thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause.message : undefined,
  });
}
