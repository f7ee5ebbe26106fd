/** Engine.IO's error answers. Clients show `message`; source: `Server.errors` of engine.io 6. */
const PROTOCOL_ERRORS = {
  UNKNOWN_TRANSPORT: { status: 400, code: 0, message: "Transport unknown" },
  UNKNOWN_SID: { status: 400, code: 1, message: "Session ID unknown" },
  BAD_HANDSHAKE_METHOD: { status: 400, code: 2, message: "Bad handshake method" },
  BAD_REQUEST: { status: 400, code: 3, message: "Bad request" },
  FORBIDDEN: { status: 403, code: 4, message: "Forbidden" },
  UNSUPPORTED_PROTOCOL_VERSION: { status: 400, code: 5, message: "Unsupported protocol version" },
  // Not among Engine.IO's own: a client takes any status but 200 as a transport error and comes back after its backoff.
  PAYLOAD_TOO_LARGE: { status: 413, code: 3, message: "Payload too large" },
  TOO_MANY_REQUESTS: { status: 429, code: 4, message: "Too many requests" },
  UNAVAILABLE: { status: 503, code: 3, message: "Service unavailable" },
} as const;

export type ProtocolError = keyof typeof PROTOCOL_ERRORS;

/** Seconds after which a client that was told 429 or 503 may try again. */
const RETRY_AFTER_SECONDS = "5";

export function refuse(error: ProtocolError): Response {
  const { status, code, message } = PROTOCOL_ERRORS[error];
  const headers = new Headers({ "Cache-Control": "no-store" });
  if (status === 429 || status === 503) headers.set("Retry-After", RETRY_AFTER_SECONDS);
  return Response.json({ code, message }, { status, headers });
}
