/** The service's two documents, asked of the Worker's own code in this process: what only workerd has is left out. */
import { registerHooks } from "node:module";

const PLATFORM =
  "export class DurableObject {} export class RpcTarget {} export class WorkerEntrypoint {} export const env = {}; export const tracing = { getActiveSpan() {} };";

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === "cloudflare:workers"
      ? { url: `data:text/javascript,${encodeURIComponent(PLATFORM)}`, shortCircuit: true }
      : next(specifier, context),
});

const SETTINGS = {
  ENVIRONMENT: "development",
  JWT_SECRET_KEY: "nothing is ever signed with this one",
  WEBHOOK_SECRET: "nothing is ever asked of this one",
  FILES_SIGNING_KEY: "nothing is ever signed with this one",
};

type Worker = { fetch(request: Request, settings: object, lifetime: object): Promise<Response> };

// Its log is about requests, and these are none.
console.log = () => {};

/** @param name `openapi.json` or `asyncapi.json` */
export async function documentOf(name: string): Promise<unknown> {
  // By a name that the compiler does not follow: the Worker is checked with the platform's types, not with Node's.
  const entry = new URL("../src/index.ts", import.meta.url).href;
  const { default: worker }: { default: Worker } = await import(entry);
  const lifetime = { waitUntil: () => {}, passThroughOnException: () => {} };
  const response = await worker.fetch(new Request(`http://localhost:8787/api/v1/${name}`), SETTINGS, lifetime);
  if (!response.ok) throw new Error(`${name}: ${response.status} ${await response.text()}`);
  return await response.json();
}
