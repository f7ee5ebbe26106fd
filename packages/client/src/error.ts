/** What fails in the client: the service's own codes, and three that only a client can know. */
import type { ErrorCode, ErrorDetail } from "./contract.ts";

/**
 * `TIMEOUT`: no answer in time. `CONNECTION_LOST`: the socket dropped after the command was sent; whether it was done is
 * not known, so send it again only with the same `clientMessageId`. `CLOSED`: the socket is closed for good.
 */
export type ClientErrorCode = "TIMEOUT" | "CONNECTION_LOST" | "CLOSED";

type Facts = {
  status?: number | undefined;
  details?: ErrorDetail[] | undefined;
  closeCode?: number | undefined;
  retryAfterSeconds?: number | undefined;
};

export class RoomcastError extends Error {
  override name = "RoomcastError";
  readonly code: ErrorCode | ClientErrorCode;
  /** HTTP status, of a REST call. */
  readonly status: number | undefined;
  /** One entry per bad field. */
  readonly details: ErrorDetail[] | undefined;
  /** The socket's close code, where one ended it. */
  readonly closeCode: number | undefined;
  /** How long the service wants to be left alone, if a REST call was told. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: ErrorCode | ClientErrorCode,
    message: string,
    { status, details, closeCode, retryAfterSeconds }: Facts = {},
  ) {
    super(message);
    this.code = code;
    this.status = status;
    this.details = details;
    this.closeCode = closeCode;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
