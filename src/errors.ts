/**
 * The one table of failures: what a code means over HTTP, on a socket, and whether coming back makes sense.
 * Codes and statuses: SPEC 0 and 2.
 */

type ErrorFacts = {
  /** HTTP status of an answer with this code. */
  status: 400 | 401 | 403 | 404 | 409 | 413 | 415 | 416 | 426 | 429 | 500 | 503;
  /** WebSocket close code when the failure ends the socket; 1011 where the contract names none. */
  close: number;
  /** Whether the same call may succeed later without the caller changing anything. */
  retry: boolean;
  /** What is said when the thrower says nothing. */
  message: string;
};

export const ERRORS = {
  INVALID_REQUEST: { status: 400, close: 1008, retry: false, message: "The request is not valid." },
  INVALID_MESSAGE: { status: 400, close: 1008, retry: false, message: "The frame is not valid." },
  UNAUTHORIZED: { status: 401, close: 4001, retry: false, message: "A valid token is required." },
  FORBIDDEN: { status: 403, close: 4003, retry: false, message: "This is not allowed." },
  NOT_FOUND: { status: 404, close: 4004, retry: false, message: "There is no such thing." },
  CONFLICT: { status: 409, close: 1008, retry: false, message: "This conflicts with the current state." },
  PAYLOAD_TOO_LARGE: { status: 413, close: 1009, retry: false, message: "The body is too large." },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, close: 1003, retry: false, message: "This media type is not accepted." },
  RANGE_NOT_SATISFIABLE: { status: 416, close: 1008, retry: false, message: "The range lies outside the content." },
  UPGRADE_REQUIRED: { status: 426, close: 1008, retry: false, message: "This path speaks WebSocket." },
  RATE_LIMIT: { status: 429, close: 4029, retry: true, message: "Too many requests." },
  UNAVAILABLE: { status: 503, close: 1012, retry: true, message: "The service does not answer in time. Try again." },
  INTERNAL_ERROR: { status: 500, close: 1011, retry: true, message: "Something went wrong on our side." },
} as const satisfies Record<string, ErrorFacts>;

export type ErrorCode = keyof typeof ERRORS;
/** In the table's order: of several with one status, the first is the one for requests. */
export const ERROR_CODES: readonly ErrorCode[] = Object.keys(ERRORS).filter(isErrorCode);

/** Close codes that no error code carries by itself. SPEC 2, "Close codes". */
export const CLOSE = {
  unauthorized: 4001,
  forbidden: 4003,
  notFound: 4004,
  heartbeatMissed: 4008,
  tooSlow: 4009,
  rateLimit: 4029,
  tooBig: 1009,
  restart: 1012,
} as const;

/** One bad field of a request. `path` is dotted, `""` for the whole body. */
export type ErrorDetail = { path: string; message: string };

type Extra = { details?: ErrorDetail[]; retryAfterSeconds?: number; cause?: unknown };

/** A failure with a name. Anything else that is thrown goes out as INTERNAL_ERROR, without its text. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetail[] | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, message: string = ERRORS[code].message, extra: Extra = {}) {
    super(message, { cause: extra.cause });
    this.name = "AppError";
    this.code = code;
    this.details = extra.details;
    this.retryAfterSeconds = extra.retryAfterSeconds;
  }
}

/** The wire form of a failure, the same over HTTP and on sockets (SPEC 0). */
export type ErrorBody = { code: ErrorCode; message: string; timestamp: string; details?: ErrorDetail[] };

export function errorBody(error: AppError, now: Date = new Date()): ErrorBody {
  return {
    code: error.code,
    message: error.message,
    timestamp: now.toISOString(),
    ...(error.details ? { details: error.details } : {}),
  };
}

/**
 * Turns whatever was thrown into an AppError. A failure that crossed an RPC boundary arrives as a plain Error whose
 * own properties survive (`code` among them); it is recognised by its name.
 */
export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  if (thrown instanceof Error && thrown.name === "AppError" && "code" in thrown && isErrorCode(thrown.code)) {
    const after = "retryAfterSeconds" in thrown ? thrown.retryAfterSeconds : undefined;
    return new AppError(thrown.code, thrown.message, {
      retryAfterSeconds: typeof after === "number" ? after : undefined,
    });
  }
  // The database's layer wraps what is thrown below it.
  if (thrown instanceof Error && thrown.cause instanceof AppError) return thrown.cause;
  if (isOverloaded(thrown)) {
    return new AppError("RATE_LIMIT", "Too much is going on here right now.", { retryAfterSeconds: 1, cause: thrown });
  }
  if (isReset(thrown) || isRetryable(thrown)) {
    return new AppError("UNAVAILABLE", undefined, { retryAfterSeconds: 1, cause: thrown });
  }
  return new AppError("INTERNAL_ERROR", undefined, { cause: thrown });
}

function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === "string" && Object.hasOwn(ERRORS, value);
}

/** An object that sheds load. It must not be retried: that only adds to the load (platform docs, "Error handling"). */
export function isOverloaded(thrown: unknown): boolean {
  return thrown instanceof Error && "overloaded" in thrown && thrown.overloaded === true;
}

/** Whether a failure says when to come back. */
export const saysWhen = ({ code }: AppError): boolean => code === "RATE_LIMIT" || code === "UNAVAILABLE";

/** A failure of the way, not of what was sent: an object that sheds load, restarts, or does not answer in time. */
export function isTransient(thrown: unknown): boolean {
  if (thrown instanceof AppError) return saysWhen(thrown);
  if (!(thrown instanceof Error)) return false;
  return isReset(thrown) || isOverloaded(thrown) || isRetryable(thrown);
}

/** The object ended in the middle of the call, as a deploy has it do; the next call finds it begun anew. */
export function isReset(thrown: unknown): boolean {
  const isIt = thrown instanceof Error && "durableObjectReset" in thrown && thrown.durableObjectReset === true;
  return isIt && !isOverloaded(thrown);
}

/** A failure that a new stub may not meet again (platform docs, "Error handling"). */
export function isRetryable(thrown: unknown): boolean {
  return thrown instanceof Error && "retryable" in thrown && thrown.retryable === true && !isOverloaded(thrown);
}
