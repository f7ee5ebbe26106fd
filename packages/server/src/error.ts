/** What the service refused, or did not answer. */
import type { Schema } from "./contract.ts";

type Failure = Schema["Error"]["error"];

/** `UNREACHABLE`: there was no answer, or none of the service's own form; whether it was done is not known. */
export type ServerErrorCode = Failure["code"] | "UNREACHABLE";

type Facts = {
  status?: number | undefined;
  details?: Failure["details"] | undefined;
  retryAfterSeconds?: number | undefined;
  cause?: unknown;
};

export class RoomcastServerError extends Error {
  override name = "RoomcastServerError";
  readonly code: ServerErrorCode;
  /** HTTP status, if there was an answer. */
  readonly status: number | undefined;
  /** One entry per bad field. */
  readonly details: Failure["details"] | undefined;
  /** How long the service wants to be left alone. */
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ServerErrorCode, message: string, { status, details, retryAfterSeconds, cause }: Facts = {}) {
    super(message, { cause });
    this.code = code;
    this.status = status;
    this.details = details;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

const isErrorAnswer = (body: unknown): body is Schema["Error"] =>
  typeof body === "object" && body !== null && "error" in body && typeof body.error === "object" && body.error !== null;

/** The failure that an answer tells of. */
export async function failureOf(response: Response): Promise<RoomcastServerError> {
  const { status } = response;
  const retryAfterSeconds = Number(response.headers.get("Retry-After")) || undefined;
  const body: unknown = await response.json().catch(() => null);
  // A proxy in between may fail in a form of its own.
  if (!isErrorAnswer(body)) {
    return new RoomcastServerError("UNREACHABLE", `The service answered ${status}.`, { status, retryAfterSeconds });
  }
  const { code, message, details } = body.error;
  return new RoomcastServerError(code, message, { status, details, retryAfterSeconds });
}
