/**
 * In which audience object people sit. Whoever opens another window is led to the same one, which counts them once. Kept in
 * memory: the room notes whom it leads where, and after a sleep the audience objects say who is there.
 */
const MOST_PEOPLE = 200_000;

export class Seats {
  /** Those who came last are at the end. Some of them have left: that costs a free seat elsewhere, and nothing else. */
  readonly #names = new Map<number, string>();

  of(userId: number): string | undefined {
    return this.#names.get(userId);
  }

  take(userId: number, name: string): void {
    this.#names.delete(userId);
    this.#names.set(userId, name);
    const [oldest] = this.#names.keys();
    if (this.#names.size > MOST_PEOPLE && oldest !== undefined) this.#names.delete(oldest);
  }
}
