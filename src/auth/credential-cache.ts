/** What an isolate remembers of credentials that it has checked: by the settings, which say what a good one is. */
import type { Config } from "../config.ts";

const MOST = 5000;

type Remembered<T> = { known: T; until: number };

export class CredentialCache<T> {
  readonly #bySettings = new WeakMap<Config, Map<string, Remembered<T>>>();

  /** What is known of it, unless that was until `now`, ms. */
  get(settings: Config, credential: string, now: number): T | undefined {
    const entry = this.#of(settings).get(credential);
    return entry && entry.until > now ? entry.known : undefined;
  }

  /** Those that were remembered first are forgotten first. */
  remember(settings: Config, credential: string, known: T, until: number): void {
    const entries = this.#of(settings);
    entries.delete(credential);
    entries.set(credential, { known, until });
    const [oldest] = entries.keys();
    if (entries.size > MOST && oldest !== undefined) entries.delete(oldest);
  }

  forget(settings: Config, credential: string): void {
    this.#of(settings).delete(credential);
  }

  #of(settings: Config): Map<string, Remembered<T>> {
    const entries = this.#bySettings.get(settings) ?? new Map<string, Remembered<T>>();
    this.#bySettings.set(settings, entries);
    return entries;
  }
}
