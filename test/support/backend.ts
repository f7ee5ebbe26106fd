/** A product's backend: what is fetched at its address is answered here, checked as its own code would check it. */
import { env } from "cloudflare:workers";
import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, vi } from "vitest";
import { z } from "zod";
import { call } from "./api.ts";

export const BACKEND_URL = "https://product.example/hooks";

const Event = z.object({
  type: z.string(),
  timestamp: z.string(),
  subject: z.string(),
  data: z.record(z.string(), z.unknown()),
});
type Event = z.infer<typeof Event>;
/** One event alone, or several in their order. */
const Told = z.union([z.object({ events: z.array(Event) }), Event.transform((event) => ({ events: [event] }))]);
export type Heard = { id: string; url: string; body: unknown; events: Event[] };

/** What was heard, in order, and how it answers: `answer` may be changed while a test runs. */
export type Backend = { heard: Heard[]; answer: (heard: Heard) => Response | Promise<Response>; secrets: string[] };

/** Only calls whose signature the package verifies count. */
export function standIn(): Backend {
  const backend: Backend = { heard: [], answer: () => new Response(null, { status: 204 }), secrets: [] };
  beforeEach(() => {
    backend.heard = [];
    backend.secrets = [];
    backend.answer = () => new Response(null, { status: 204 });
    const real = globalThis.fetch;
    vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
      const request = new Request(input, init);
      if (!request.url.startsWith("https://product.example/")) return real(input, init);
      const text = await request.text();
      const body = verified(backend.secrets, text, Object.fromEntries(request.headers));
      const { events } = Told.parse(body);
      const heard: Heard = { id: request.headers.get("webhook-id") ?? "", url: request.url, body, events };
      backend.heard.push(heard);
      const { promise: givenUp, reject } = Promise.withResolvers<never>();
      init?.signal?.addEventListener("abort", () => reject(init.signal?.reason));
      return Promise.race([backend.answer(heard), givenUp]);
    });
  });
  afterEach(async () => {
    await env.DB.batch(["webhooks", "message_hook"].map((table) => env.DB.prepare(`DELETE FROM ${table}`)));
    vi.restoreAllMocks();
  });
  return backend;
}

function verified(secrets: string[], text: string, headers: Record<string, string>): unknown {
  for (const secret of secrets) {
    try {
      return new Webhook(secret).verify(text, headers);
    } catch {}
  }
  throw new Error("Nobody here knows this signature.");
}

type Endpoint = { id: number; createdAt: string; secret: string };

/** An endpoint of this backend. */
export async function makeEndpoint(
  backend: Backend,
  admin: { token: string },
  events: string[],
  more: object = {},
): Promise<Endpoint> {
  const body = { url: BACKEND_URL, events, ...more };
  const made = await call("/admin/webhooks", { method: "POST", token: admin.token, body });
  if (made.status !== 201)
    throw new Error(`POST /admin/webhooks answered ${made.status}: ${JSON.stringify(made.body)}`);
  backend.secrets.push(made.body.secret);
  return made.body;
}
