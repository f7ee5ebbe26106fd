/**
 * Which audience object each viewer is assigned to. Whoever opens another window is sent to the same one, which counts them
 * once. Kept in memory: the room records whom it sends where, and after hibernation the audience objects say who is there.
 */
const MOST_PEOPLE = 200_000;

export class Assignments {
  /** Those who came last are at the end. Some of them have left: that costs some space in their audience object, and nothing else. */
  readonly #names = new Map<number, string>();

  of(userId: number): string | undefined {
    return this.#names.get(userId);
  }

  assign(userId: number, name: string): void {
    this.#names.delete(userId);
    this.#names.set(userId, name);
    const [oldest] = this.#names.keys();
    if (this.#names.size > MOST_PEOPLE && oldest !== undefined) this.#names.delete(oldest);
  }
}
