/** OvenMediaEngine's AdmissionWebhooks: `{client, request}` (MEDIA.md 2). It expects answers of its own. */
import { z } from "zod";
import { type AdapterEvent, type EventKind, kindOf, text } from "./adapter.ts";

/**
 * `direction status`. An encoder whose line broke is back before OvenMediaEngine misses it, and by a key that nobody else
 * has: it takes the place of its old connection, whose closing is told later. Where OvenMediaEngine keeps the old one
 * (`BlockDuplicateStreamName`), the new one's closing follows at once.
 */
const KINDS: Record<string, EventKind> = {
  "incoming opening": "replace",
  "incoming closing": "withdraw",
  "outgoing opening": "play",
  "outgoing closing": "leave",
};

export const OvenMediaEngineJson = z
  .object({
    client: z.object({ address: text, port: text, real_ip: text }),
    request: z.object({ direction: z.string(), status: z.string(), url: text, time: text }),
  })
  .transform(({ client, request }): AdapterEvent => {
    const name = `${request.direction} ${request.status}`;
    const { app, stream } = streamIn(request.url);
    return {
      kind: kindOf(KINDS, name),
      source: "ovenmediaengine",
      name,
      stream,
      app,
      // It has no session id. The rest of the address belongs to it, but for the key, which is in no log.
      client: `${client.address}:${client.port}`,
      from: client.real_ip || client.address,
      sentAt: Date.parse(request.time),
      answers: request.status === "opening" ? "admission" : "empty",
    };
  });

/** `rtmp://host/app/<key>?query`; players ask for a playlist below it. */
function streamIn(url: string): Pick<AdapterEvent, "app" | "stream"> {
  const { host = "", pathname = "" } = URL.parse(url) ?? {};
  const path = pathname.split("/").filter(Boolean);
  if (path.at(-1)?.includes(".")) path.pop();
  return { app: [host, ...path.slice(0, -1)].join("/"), stream: path.at(-1) ?? "" };
}
