/** For products that have a backend (SPEC 12), gathered from its nouns. docs/server-api.md tells how to use it. */

export * from "./presence/contract.ts";
export * from "./publish/contract.ts";
export * from "./rooms/contract.ts";
export * from "./tokens/contract.ts";
export * from "./topics/contract.ts";
export * from "./users/contract.ts";
