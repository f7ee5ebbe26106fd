/** nginx-rtmp: URL-encoded fields, with `call=` for the event (MEDIA.md 1.1). */
import { type AdapterEvent, type EventKind, kindOf } from "./adapter.ts";

/** The directive's name is taken for the call's, too: adapters that imitate nginx write it so. */
const KINDS: Record<string, EventKind> = {
  on_publish: "publish",
  on_publish_done: "end",
  on_done: "end",
  on_play: "play",
  on_play_done: "leave",
  on_record_done: "record",
  publish: "publish",
  publish_done: "end",
  done: "end",
  update_publish: "beat",
  play: "play",
  play_done: "leave",
  record_done: "record",
};

/** What a publisher writes after the `?` of its address is appended to nginx' own fields, unescaped: the first value counts. */
export function readNginxCall(body: string): AdapterEvent {
  const fields = new URLSearchParams(body);
  // `get` answers the first value.
  const first = (field: string): string => fields.get(field) ?? "";
  return {
    kind: kindOf(KINDS, first("call")),
    source: "nginx-rtmp",
    name: first("call"),
    stream: first("name"),
    app: first("app"),
    client: first("clientid"),
    from: first("addr"),
  };
}
