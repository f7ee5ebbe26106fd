/**
 * Counts for `GET /metrics`, in Prometheus' text format. An isolate counts for itself, since a shared counter would
 * need an object on every request's path; a scrape therefore reads one isolate, and sums are right for rates only.
 */
const BUCKETS_MS = [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000];

const requests = new Map<string, number>();
const durations = { buckets: BUCKETS_MS.map(() => 0), sum: 0, count: 0 };
const sockets = new Map<string, number>();
const parked = new Map<string, number>();

export function countRequest(method: string, status: number, ms: number): void {
  const key = `method="${method}",status="${status}"`;
  requests.set(key, (requests.get(key) ?? 0) + 1);
  durations.sum += ms;
  durations.count += 1;
  const at = BUCKETS_MS.findIndex((limit) => ms <= limit);
  if (at >= 0) durations.buckets[at] = (durations.buckets[at] ?? 0) + 1;
}

/** `kind`: `user`, `room`, … */
export function countSocket(kind: string): void {
  sockets.set(kind, (sockets.get(kind) ?? 0) + 1);
}

/** `kind` of the receiver that could not take a row of the outbox: `user`, `room`, … */
export function countParked(kind: string): void {
  parked.set(kind, (parked.get(kind) ?? 0) + 1);
}

/** What is true now, wherever it is asked; by the metric's name. */
export type Gauges = Record<string, { help: string; value: number }>;

/** The exposition text (Prometheus text format 0.0.4). */
export function exposition(gauges: Gauges): string {
  let cumulative = 0;
  const lines = [
    "# HELP roomcast_http_requests_total Requests answered by this isolate.",
    "# TYPE roomcast_http_requests_total counter",
    ...[...requests].map(([labels, count]) => `roomcast_http_requests_total{${labels}} ${count}`),
    "# HELP roomcast_http_request_duration_ms Time until the answer, in milliseconds.",
    "# TYPE roomcast_http_request_duration_ms histogram",
    ...BUCKETS_MS.map((limit, at) => {
      cumulative += durations.buckets[at] ?? 0;
      return `roomcast_http_request_duration_ms_bucket{le="${limit}"} ${cumulative}`;
    }),
    `roomcast_http_request_duration_ms_bucket{le="+Inf"} ${durations.count}`,
    `roomcast_http_request_duration_ms_sum ${durations.sum}`,
    `roomcast_http_request_duration_ms_count ${durations.count}`,
    "# HELP roomcast_sockets_opened_total Sockets opened through this isolate.",
    "# TYPE roomcast_sockets_opened_total counter",
    ...[...sockets].map(([kind, count]) => `roomcast_sockets_opened_total{kind="${kind}"} ${count}`),
    "# HELP roomcast_outbox_parked_total Outbox rows that this isolate put aside.",
    "# TYPE roomcast_outbox_parked_total counter",
    ...[...parked].map(([kind, count]) => `roomcast_outbox_parked_total{kind="${kind}"} ${count}`),
    ...Object.entries(gauges).flatMap(([name, { help, value }]) => [
      `# HELP ${name} ${help}`,
      `# TYPE ${name} gauge`,
      `${name} ${value}`,
    ]),
  ];
  return `${lines.join("\n")}\n`;
}
