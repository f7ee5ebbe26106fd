/** Conditions and ranges of a GET, by RFC 9110, sections 13 and 14. */

/** What is asked for: everything, a part, or what there is not. */
export type Wanted = { kind: "whole" } | { kind: "part"; first: number; last: number } | { kind: "unsatisfiable" };

export type Validators = {
  /** Strong, with its quotes. */
  etag: string;
  modifiedAt: Date;
};

const WHOLE: Wanted = { kind: "whole" };

/**
 * Reads `Range`. Several ranges, other units and malformed ones are answered with the whole, as 14.2 allows; so is a
 * suffix of an empty object, which `Content-Range` cannot express.
 */
export function wantedRange(header: string | null, size: number): Wanted {
  const match = /^\s*bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*$/i.exec(header ?? "");
  if (!match) return WHOLE;
  const [, from = "", to = ""] = match;
  if (from === "" && to === "") return WHOLE;
  if (from === "") {
    const length = Number(to);
    if (length === 0) return { kind: "unsatisfiable" };
    return size === 0 ? WHOLE : { kind: "part", first: Math.max(0, size - length), last: size - 1 };
  }
  const first = Number(from);
  if (to !== "" && Number(to) < first) return WHOLE;
  if (first >= size) return { kind: "unsatisfiable" };
  return { kind: "part", first, last: to === "" ? size - 1 : Math.min(Number(to), size - 1) };
}

const seconds = (time: Date): number => Math.floor(time.getTime() / 1000);

/** HTTP dates have seconds; a malformed one is as none (13.1.3). */
function dateOf(header: string | null): number | undefined {
  const time = header === null ? Number.NaN : Date.parse(header);
  return Number.isNaN(time) ? undefined : Math.floor(time / 1000);
}

/** Whether a list of entity tags names this one; `*` names any. Strong comparison leaves weak ones out (8.8.3.2). */
function names(list: string, etag: string, isStrong: boolean): boolean {
  if (list.trim() === "*") return true;
  const tags = list.match(/(W\/)?"[^"]*"/g) ?? [];
  return tags.some((tag) => (isStrong ? tag : tag.replace(/^W\//, "")) === etag);
}

/** The preconditions in the order of 13.2.2: `failed` is 412, `unchanged` 304. */
export function precondition(headers: Headers, { etag, modifiedAt }: Validators): "met" | "failed" | "unchanged" {
  const ifMatch = headers.get("if-match");
  const unmodifiedSince = dateOf(headers.get("if-unmodified-since"));
  if (ifMatch !== null) {
    if (!names(ifMatch, etag, true)) return "failed";
  } else if (unmodifiedSince !== undefined && seconds(modifiedAt) > unmodifiedSince) return "failed";
  const ifNoneMatch = headers.get("if-none-match");
  const modifiedSince = dateOf(headers.get("if-modified-since"));
  if (ifNoneMatch !== null) return names(ifNoneMatch, etag, false) ? "unchanged" : "met";
  return modifiedSince !== undefined && seconds(modifiedAt) <= modifiedSince ? "unchanged" : "met";
}

/** Whether `Range` counts: `If-Range` must name exactly this state (13.1.5). */
export function rangeApplies(headers: Headers, { etag, modifiedAt }: Validators): boolean {
  const ifRange = headers.get("if-range")?.trim();
  if (ifRange === undefined) return true;
  if (/^(W\/)?"/.test(ifRange)) return ifRange === etag;
  return dateOf(ifRange) === seconds(modifiedAt);
}
