/**
 * What one log's members saw, held against what was acknowledged: everything once, in one order, for everybody; or the
 * member was told that something is missing.
 */
export type Seen = { text: string; seq: number };

/** One member's view of one log, over all of its connections. */
export class Witness {
  readonly name: string;
  readonly #texts = new Map<string, number>();
  /** The seq of the last frame of the log; null until the first connection, and after the member was told of a gap. */
  position: number | null = null;
  epoch: string | undefined;
  /** Everything up to here may be missing: it came before the first connection, or the member was told. */
  excused = 0;
  resyncs = 0;
  readonly faults: string[] = [];

  constructor(name: string) {
    this.name = name;
  }

  /** A frame of the log: members get every number of it. */
  saw(seq: number, text: string | undefined): void {
    if (this.position !== null && seq !== this.position + 1) {
      const what = seq <= this.position ? "again or out of order" : "after a gap";
      this.faults.push(`${this.name}: seq ${seq} came ${what}, after ${this.position}`);
    }
    this.position = Math.max(seq, this.position ?? 0);
    if (text !== undefined) this.heard(text);
  }

  /** Something that came without a number. */
  heard(text: string): void {
    const count = (this.#texts.get(text) ?? 0) + 1;
    this.#texts.set(text, count);
    if (count > 1) this.faults.push(`${this.name}: "${text}" came ${count} times`);
  }

  /** The member learnt that it may have missed something, and where the log stands. */
  told(position: number): void {
    this.resyncs += 1;
    this.position = position;
    this.excused = Math.max(this.excused, position);
  }

  get texts(): Iterable<string> {
    return this.#texts.keys();
  }

  has(text: string): boolean {
    return this.#texts.has(text);
  }
}

/** One log: what was acknowledged in it, and who watches it. */
export class Log {
  readonly name: string;
  /** Its seq, or null where the answer does not say: then it may be missing only for who was told at some time. */
  readonly acknowledged = new Map<string, number | null>();
  readonly witnesses: Witness[] = [];

  constructor(name: string) {
    this.name = name;
  }

  witness(name: string): Witness {
    const witness = new Witness(`${this.name}/${name}`);
    this.witnesses.push(witness);
    return witness;
  }

  acknowledge(text: string, seq: number | null): void {
    this.acknowledged.set(text, seq);
  }

  /** What somebody still waits for. */
  missing(): string[] {
    const missing: string[] = [];
    for (const witness of this.witnesses) {
      for (const [text, seq] of this.acknowledged) {
        const isOwed = seq === null ? witness.resyncs === 0 : seq > witness.excused;
        if (isOwed && !witness.has(text)) missing.push(`${witness.name}: "${text}" (seq ${seq ?? "unknown"})`);
      }
    }
    return missing;
  }

  faults(): string[] {
    const made = this.witnesses.flatMap(({ name, texts }) =>
      Array.from(texts)
        .filter((text) => !this.acknowledged.has(text))
        .map((text) => `nobody said what came: ${name}: "${text}"`),
    );
    const missing = this.missing().map((text) => `never came: ${text}`);
    return [...missing, ...made, ...this.witnesses.flatMap(({ faults }) => faults)];
  }
}
