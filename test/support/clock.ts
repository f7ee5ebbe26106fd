/** The clock that the Worker and its objects see. Timers and sockets go on by the real one. */
import { afterEach, vi } from "vitest";

/** Moves the clock on. It is right again after the test. */
export function passTime(seconds: number): void {
  const now = Date.now() + seconds * 1000;
  if (vi.isFakeTimers()) vi.setSystemTime(now);
  else vi.useFakeTimers({ toFake: ["Date"], now });
}

afterEach(() => void vi.useRealTimers());
