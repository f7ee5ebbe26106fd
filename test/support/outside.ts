/** Addresses outside, which no test asks: where hostile inputs set something up that would, all is always fine there. */
import { vi } from "vitest";

export function answerForOutside(): void {
  vi.spyOn(globalThis, "fetch").mockImplementation(async () => Response.json({ action: "allow" }));
}
