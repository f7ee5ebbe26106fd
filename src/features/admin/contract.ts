/** The admin's contract (SPEC 4), gathered from its nouns. */
import { AdminReportFrames } from "./reports/contract.ts";
import { AdminUserFrames } from "./users/contract.ts";
import { AdminVideoFrames } from "./videos/contract.ts";

export * from "./audit/contract.ts";
export * from "./base-contract.ts";
export * from "./calls/contract.ts";
export * from "./comments/contract.ts";
export * from "./files/contract.ts";
export * from "./keys/contract.ts";
export * from "./live/contract.ts";
export * from "./outbox/contract.ts";
export * from "./reports/contract.ts";
export * from "./rooms/contract.ts";
export * from "./stats/contract.ts";
export * from "./stream-events/contract.ts";
export * from "./streams/contract.ts";
export * from "./users/contract.ts";
export * from "./videos/contract.ts";
export * from "./webhooks/contract.ts";

/** Server → client, on the event socket of whom it concerns. */
export const AdminFrames = { ...AdminUserFrames, ...AdminVideoFrames, ...AdminReportFrames };
