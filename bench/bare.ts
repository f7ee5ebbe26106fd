/** The bare objects of bare.js, for a Worker of their own. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Miniflare } from "miniflare";
import { migrate } from "../scripts/miniflare.ts";
import { startWorker } from "./load.ts";

const script = readFileSync(join(import.meta.dirname, "bare.js"), "utf8");
const durableObjects = { ROOM: { className: "Room", useSQLite: true }, HUB: { className: "Hub", useSQLite: true } };

/** Without a database: who comes is let in unasked. */
export const startBare = (port: number): Promise<Miniflare> => startWorker(port, script, { durableObjects });

export async function startBareOverD1(port: number): Promise<Miniflare> {
  const miniflare = await startWorker(port, script, { durableObjects, d1Databases: ["DB"] });
  await migrate(await miniflare.getD1Database("DB"));
  return miniflare;
}
