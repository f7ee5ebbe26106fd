/**
 * Counts for `GET /metrics`, in Prometheus' text format (0.0.4). An isolate counts for itself, since a shared counter would
 * need an object on every request's path; a scrape therefore reads one isolate, and sums are right for rates only. What
 * each costs: an addition in memory, no row and no call.
 */

/** Label values → count. */
type Labels = Record<string, string | number>;

class Counter {
  readonly #name: string;
  readonly #help: string;
  readonly #counts = new Map<string, number>();

  constructor(name: string, help: string) {
    this.#name = name;
    this.#help = help;
  }

  add(labels: Labels = {}, count = 1): void {
    const key = Object.entries(labels)
      .map(([label, value]) => `${label}="${value}"`)
      .join(",");
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + count);
  }

  lines(): string[] {
    return [
      `# HELP ${this.#name} ${this.#help}`,
      `# TYPE ${this.#name} counter`,
      ...[...this.#counts].map(([labels, count]) => `${this.#name}${labels && `{${labels}}`} ${count}`),
    ];
  }
}

class Histogram {
  readonly #name: string;
  readonly #help: string;
  readonly #limits: readonly number[];
  readonly #counts: number[];
  #sum = 0;
  #count = 0;

  constructor(name: string, help: string, limits: readonly number[]) {
    this.#name = name;
    this.#help = help;
    this.#limits = limits;
    this.#counts = limits.map(() => 0);
  }

  observe(value: number): void {
    this.#sum += value;
    this.#count += 1;
    const at = this.#limits.findIndex((limit) => value <= limit);
    if (at >= 0) this.#counts[at] = (this.#counts[at] ?? 0) + 1;
  }

  lines(): string[] {
    let cumulative = 0;
    return [
      `# HELP ${this.#name} ${this.#help}`,
      `# TYPE ${this.#name} histogram`,
      ...this.#limits.map((limit, at) => {
        cumulative += this.#counts[at] ?? 0;
        return `${this.#name}_bucket{le="${limit}"} ${cumulative}`;
      }),
      `${this.#name}_bucket{le="+Inf"} ${this.#count}`,
      `${this.#name}_sum ${this.#sum}`,
      `${this.#name}_count ${this.#count}`,
    ];
  }
}

const BUCKETS_MS = [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000];

const requests = new Counter("roomcast_http_requests_total", "Requests answered by this isolate.");
const durations = new Histogram(
  "roomcast_http_request_duration_ms",
  "Time until the answer, in milliseconds.",
  BUCKETS_MS,
);
const refusals = new Counter("roomcast_refused_total", "Requests and sockets refused by this isolate, by reason.");
const failures = new Counter(
  "roomcast_failures_total",
  "What failed and nobody was told of, by the event of its log line.",
);
const sockets = new Counter("roomcast_sockets_opened_total", "Sockets opened through this isolate.");
const deliveries = new Counter(
  "roomcast_outbox_deliveries_total",
  "Outbox rows that this isolate tried to deliver, by receiver and outcome.",
);
const parked = new Counter("roomcast_outbox_parked_total", "Outbox rows that this isolate put aside.");
const database = new Histogram("roomcast_d1_duration_ms", "Time of one round trip to D1, in milliseconds.", BUCKETS_MS);
const rows = new Counter("roomcast_d1_rows_total", "Rows of D1 that requests have read and written.");
const objectCalls = new Counter("roomcast_object_calls_total", "Calls of requests to Durable Objects.");
const objectErrors = new Counter(
  "roomcast_object_errors_total",
  "Calls of Durable Objects that failed, each try, by kind of error.",
);

export function countRequest(method: string, status: number, ms: number): void {
  requests.add({ method, status });
  durations.observe(ms);
}

/** What one request has cost. */
export function countCost(cost: { d1RowsRead: number; d1RowsWritten: number; objectCalls: number }): void {
  rows.add({ what: "read" }, cost.d1RowsRead);
  rows.add({ what: "written" }, cost.d1RowsWritten);
  objectCalls.add({}, cost.objectCalls);
}

/** `code`: of the error table. `over`: `http` or `socket`. */
export const countRefusal = (over: "http" | "socket", code: string): void => refusals.add({ over, code });

/** `event`: as in the log; there are some dozens. */
export const countFailure = (event: string): void => failures.add({ event });

/** `kind`: `user`, `room`, … */
export const countSocket = (kind: string): void => sockets.add({ kind });

/** Rows of the outbox for a receiver of this `kind` that have arrived, or were not taken. */
export function countDeliveries(kind: string, arrived: number, failed: number): void {
  deliveries.add({ kind, outcome: "arrived" }, arrived);
  deliveries.add({ kind, outcome: "failed" }, failed);
}

/**
 * `overloaded`: it sheds load · `reset`: it ended in the middle, as a deploy has it do · `lost`: the way there broke ·
 * `late`: no answer in time · `failed`: its own code.
 */
export const countObjectError = (kind: "overloaded" | "reset" | "lost" | "late" | "failed"): void =>
  objectErrors.add({ kind });

/** `kind` of the receiver that could not take a row of the outbox: `user`, `room`, … */
export const countParked = (kind: string): void => parked.add({ kind });

/** A round trip to the database took so long, ms. */
export const countDatabase = (ms: number): void => database.observe(ms);

/** What is true now, wherever it is asked; by the metric's name. */
export type Gauges = Record<string, { help: string; value: number }>;

/** The exposition text. */
export function exposition(gauges: Gauges): string {
  const metrics = [
    ...[requests, durations, refusals, failures, sockets],
    ...[deliveries, parked, database, rows, objectCalls, objectErrors],
  ];
  const lines = Object.entries(gauges).flatMap(([name, { help, value }]) => [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} gauge`,
    `${name} ${value}`,
  ]);
  return `${[...metrics.flatMap((metric) => metric.lines()), ...lines].join("\n")}\n`;
}
