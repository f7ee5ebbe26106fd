/** What benchmarks measure by. On a shared machine CPU time is the truest of the figures: only ratios of one run count. */
import { readFileSync } from "node:fs";
import { percentile } from "./load.ts";

/** Of Linux' CPU accounting (USER_HZ). */
const MS_PER_TICK = 10;

/** A server that was started as a child of this process. Where there is no /proc its figures are NaN. */
export class Measured {
  readonly #pid: string;

  /** The latest child, or what that has started: to be made right after the server has started. */
  constructor() {
    let pid = String(process.pid);
    for (let child = latestChildOf(pid); child !== ""; child = latestChildOf(pid)) pid = child;
    this.#pid = pid;
  }

  /** CPU time that it has used, ms. */
  get cpuMs(): number {
    const [user, system] = read(`/proc/${this.#pid}/stat`).split(") ")[1]?.split(" ").slice(11) ?? [];
    return (Number(user) + Number(system)) * MS_PER_TICK;
  }

  /** Memory that it has now, KB. */
  get memoryKb(): number {
    return Number(/^VmRSS:\s+(\d+)/m.exec(read(`/proc/${this.#pid}/status`))?.[1] ?? Number.NaN);
  }

  /** CPU ms that `work` takes. */
  async cpuOf(work: () => Promise<unknown>): Promise<number> {
    const before = this.cpuMs;
    await work();
    return this.cpuMs - before;
  }
}

const latestChildOf = (pid: string): string => read(`/proc/${pid}/task/${pid}/children`).trim().split(" ").at(-1) ?? "";

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

export type Rate = { perSecond: number; cpuMs: number; p50Ms: number };

/** Keeps `parallel` calls under way, for `seconds` or `most` calls. */
export async function closedLoop(
  server: Measured,
  { parallel, seconds, most = 1e9 }: { parallel: number; seconds: number; most?: number },
  call: (nth: number) => Promise<unknown>,
): Promise<Rate> {
  const times: number[] = [];
  let begun = 0;
  const started = performance.now();
  const end = started + seconds * 1000;
  const runner = async (): Promise<void> => {
    while (begun < most && performance.now() < end) {
      begun += 1;
      const before = performance.now();
      await call(begun);
      times.push(performance.now() - before);
    }
  };
  const cpuMs = await server.cpuOf(() => Promise.all(Array.from({ length: parallel }, runner)));
  const perSecond = times.length / ((performance.now() - started) / 1000);
  return { perSecond, cpuMs: cpuMs / times.length, p50Ms: percentile(times, 0.5) };
}

/** The middle one. */
export const median = (values: number[]): number => percentile(values, 0.5);

/** Three digits that count. */
export const rounded = (value: number): number => Number(value.toPrecision(3));
