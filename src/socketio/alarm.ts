import type { Report } from "./engine-layer.ts";
import { UNCONFIRMED } from "./session-store.ts";

/** The object's one alarm, shared by all its sessions: each `setAlarm` is billed as a row. */
export class Alarm {
  private isSet = false;

  constructor(
    private readonly storage: DurableObjectStorage,
    private readonly report: Report,
  ) {}

  /** After hibernation. None is set if it is what woke us; setting it here again would cost a second row. */
  async restore(): Promise<void> {
    this.isSet = (await this.storage.getAlarm()) !== null;
  }

  /** Sets the alarm, unless it is set already. */
  ensure(delayMs: number): void {
    if (this.isSet) return;
    this.isSet = true;
    this.storage.setAlarm(Date.now() + delayMs, UNCONFIRMED).catch((error) => this.report(error, "setting the alarm"));
  }

  /** To be called when it went off, or was deleted with everything else. */
  gone(): void {
    this.isSet = false;
  }
}
