/** The bare objects of relay.js, for a Worker of their own. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export const relayScript = readFileSync(join(import.meta.dirname, "relay.js"), "utf8");

export const relayObjects = {
  PLAIN: { className: "PlainRelay", useSQLite: true },
  ARRAY: { className: "ArrayRelay", useSQLite: true },
};
