const WINDOW_MS = 60_000;

/** What one session sent in the current minute, for an application's own rate limits. Hibernation starts it anew. */
export class Traffic {
  private windowStartedAt = 0;
  private eventCount = 0;
  private charCount = 0;

  /** Socket.IO events, acknowledgements and connects. */
  get events(): number {
    return this.isCurrent() ? this.eventCount : 0;
  }

  /** Characters of text and bytes of binary. */
  get chars(): number {
    return this.isCurrent() ? this.charCount : 0;
  }

  countFrame(size: number): void {
    this.turnWindow();
    this.charCount += size;
  }

  countPacket(): void {
    this.turnWindow();
    this.eventCount += 1;
  }

  private turnWindow(): void {
    if (this.isCurrent()) return;
    this.windowStartedAt = Date.now();
    this.eventCount = 0;
    this.charCount = 0;
  }

  private isCurrent(): boolean {
    return Date.now() - this.windowStartedAt < WINDOW_MS;
  }
}
