/** The machine may be busy with other tests: what is waited for has ten times as long as Vitest gives it. */
import { vi } from "vitest";

const PATIENCE_MS = 10_000;
const waitFor = vi.waitFor;

vi.waitFor = (callback, options) =>
  waitFor(callback, typeof options === "number" ? options : { timeout: PATIENCE_MS, ...options });
