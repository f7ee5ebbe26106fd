/** How a client's event is answered: by its callback, or, if it passed none, failures by an event. */

import { AppError, toAppError } from "../../errors.ts";
import { logFailure } from "../../platform/log.ts";
import { frameCode } from "../../realtime/protocol.ts";
import type { ClientSocket, ReceivedEvent } from "../../socketio/application.ts";

/** `{success: true, data?}`, to the callback alone: everybody else has heard of it by the room's own events. */
export function answerSuccess({ ack }: ReceivedEvent, data: unknown): void {
  ack?.(data === undefined ? { success: true } : { success: true, data });
}

/** `{success: false, error: {code, message}}`, or the event `failure` with `{code, message}`. */
export function answerFailure(
  socket: ClientSocket,
  { name, ack }: ReceivedEvent,
  failure: string,
  thrown: unknown,
): void {
  const error = toAppError(thrown);
  if (error.code === "INTERNAL_ERROR")
    logFailure({ requestId: socket.id }, "socketio.failure", error.cause ?? error, { name });
  const { message, retryAfterSeconds } = error;
  const told = {
    code: frameCode(error.code),
    message,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  };
  if (ack) ack({ success: false, error: told });
  else socket.emit(failure, told);
}

/** An event's data: its first argument. None, or null, is as good as an empty object. @throws AppError INVALID_MESSAGE */
export function dataOf({ args }: ReceivedEvent): Record<string, unknown> {
  const [data = null] = args;
  if (data === null) return {};
  if (typeof data !== "object" || Array.isArray(data) || data instanceof ArrayBuffer || ArrayBuffer.isView(data)) {
    throw new AppError("INVALID_MESSAGE", "An event's data is an object.");
  }
  return { ...data };
}
