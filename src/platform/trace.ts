/**
 * Traces. The platform itself spans handlers, calls of objects, D1, R2 and outgoing calls, under one trace id from the Worker into
 * the object and back, and exports them (`observability.traces` in wrangler.toml). What it does not do is done here: trace
 * ids of services outside, which come and go as W3C Trace Context. While a call is not traced, nothing is made here.
 */
import { tracing } from "cloudflare:workers";

/** W3C Trace Context, 3.2.2: `version-traceId-parentId-flags`; later versions may go on. Ids of zeros alone are invalid. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?=$|-)/;

/** The trace in which somebody outside calls; undefined for none, and for a header that says it wrongly. */
export const callersTraceId = (traceparent: string | undefined): string | undefined =>
  traceparent === undefined ? undefined : TRACEPARENT.exec(traceparent)?.[1];

/** Of the span in which this runs, for logs; undefined while nothing is traced. */
export function traceId(): string | undefined {
  const span = tracing.getActiveSpan();
  return span?.isTraced ? span.spanContext().traceId : undefined;
}

/** The header by which a service outside goes on with this trace; none while nothing is traced. */
export function traceHeaders(): { traceparent?: string } {
  const span = tracing.getActiveSpan();
  if (!span?.isTraced) return {};
  const { traceId, spanId, traceFlags } = span.spanContext();
  return { traceparent: `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}` };
}

/** Names the span of a call by its route, and notes in whose trace it was made. */
export function describeCall(route: () => string, callersTrace: string | undefined): void {
  const span = tracing.getActiveSpan();
  if (!span?.isTraced) return;
  span.updateName(route());
  if (callersTrace !== undefined) span.setAttribute("roomcast.callers_trace_id", callersTrace);
}
