/** Failures, as HTTP answers. */
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import { ZodError } from "zod";
import { AppError, ERROR_CODES, ERRORS, type ErrorCode, errorBody, saysWhen, toAppError } from "../errors.ts";
import { invalidRequest } from "../input.ts";
import { logFailure } from "../platform/log.ts";
import { countRefusal } from "../platform/metrics.ts";
import { ConfigError } from "../settings/config-error.ts";
import type { HttpEnv } from "./env.ts";

/** The one place that turns a failure into an HTTP answer. */
export function answerFailure(thrown: Error, c: Context<HttpEnv>): Response {
  const error = fromHttp(thrown);
  const { ctx } = c.var;
  countRefusal("http", error.code);
  if (error.code === "INTERNAL_ERROR") logFailure(ctx ?? { requestId: "" }, "http.failure", error.cause ?? thrown);
  const headers = new Headers();
  if (error.code === "UNAVAILABLE") logFailure(ctx, "http.unavailable", error.cause ?? thrown);
  if (saysWhen(error)) headers.set("Retry-After", String(error.retryAfterSeconds ?? 1));
  if (error.code === "UNAUTHORIZED") headers.set("WWW-Authenticate", "Bearer");
  if (error.code === "UPGRADE_REQUIRED") headers.set("Upgrade", "websocket");
  headers.set("X-Content-Type-Options", "nosniff");
  const status = thrown instanceof HTTPException ? thrown.status : ERRORS[error.code].status;
  return c.json({ error: errorBody(error) }, { status, headers });
}

function fromHttp(thrown: Error): AppError {
  if (thrown instanceof ConfigError) return new AppError("INTERNAL_ERROR", thrown.message, { cause: thrown });
  if (thrown instanceof ZodError) return invalidRequest(thrown);
  if (thrown instanceof HTTPException && thrown.status < 500) return fromHono(thrown);
  return toAppError(thrown);
}

/** Status → code. */
const CODES = new Map<number, ErrorCode>(ERROR_CODES.toReversed().map((code) => [ERRORS[code].status, code]));

/** What Hono itself refuses keeps its status; the code is the one that has it, or says that the client is wrong. */
const fromHono = ({ status, message, cause }: HTTPException): AppError =>
  new AppError(CODES.get(status) ?? "INVALID_REQUEST", message || undefined, { cause });
