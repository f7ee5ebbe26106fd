/** The database and the bucket of a service, as its Worker has them: this machine's, or with `--remote` production's. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { D1Database, R2Bucket } from "@cloudflare/workers-types";
import { getPlatformProxy, unstable_readConfig } from "wrangler";
import { z } from "zod";
import { option, root } from "./tools.ts";

export type Storage = { DB: D1Database; FILES: R2Bucket };

const Binding = z.record(z.string(), z.unknown());
const Bindings = z.object({
  compatibility_date: z.string(),
  d1_databases: z.array(Binding),
  r2_buckets: z.array(Binding),
});

/** Opens them for as long as `work` takes. Production's need `npx wrangler login`. */
export async function withStorage<T>(args: string[], work: (storage: Storage) => Promise<T>): Promise<T> {
  const remote = args.includes("--remote");
  const env = remote ? option(args, "env") : undefined;
  const config = Bindings.parse(unstable_readConfig({ config: join(root, "wrangler.toml"), env }));
  // The Worker's own settings name objects, which nothing but the Worker can open.
  const settings = {
    name: "roomcast-storage",
    compatibility_date: config.compatibility_date,
    d1_databases: config.d1_databases.map((database) => ({ ...database, remote })),
    r2_buckets: config.r2_buckets.map((bucket) => ({ ...bucket, remote })),
  };
  const folder = mkdtempSync(join(tmpdir(), "roomcast-storage-"));
  const configPath = join(folder, "wrangler.json");
  writeFileSync(configPath, JSON.stringify(settings));
  const state = option(args, "persist-to") ?? join(root, ".wrangler/state");
  const proxy = await getPlatformProxy<Storage>({
    configPath,
    persist: { path: join(state, "v3") },
    remoteBindings: remote,
  });
  try {
    return await work(proxy.env);
  } finally {
    await proxy.dispose();
    rmSync(folder, { recursive: true, force: true });
  }
}
