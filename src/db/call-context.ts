/** What one call works with, whoever acts. The outbox delivers with this: what it delivers is nobody's act any more. */
import type { Config } from "../config.ts";
import type { Cost } from "../platform/cost.ts";
import type { Db } from "./client.ts";

export type CallContext = {
  env: Env;
  config: Config;
  db: Db;
  cost: Cost;
  requestId: string;
  /** The caller's address, for rate limits and bans. */
  address: string;
  /** What the caller's program says that it is (`User-Agent`), and which languages its user reads (`Accept-Language`). */
  userAgent: string;
  acceptLanguage: string;
  /** Where the caller has reached us (`https://api.example.com`); empty for what no request asked for. */
  origin: string;
  /** The time of this call; one value for all it writes. */
  now: Date;
  /** Work that may outlive the answer. */
  later: (work: Promise<unknown>) => void;
};
