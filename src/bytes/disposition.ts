/** `Content-Disposition`, written (RFC 6266) and read as clients really send it (RFC 7578, 4.2; RFC 8187; RFC 2047). */

/** For old clients: what is not plain ASCII, or has a meaning in a quoted string, becomes `_`. */
const plain = (name: string): string => name.replace(/[^\x20-\x7e]|["\\%]/g, "_");

/** RFC 8187, 3.2.1: encodeURIComponent leaves four characters that are no attr-char. */
const encoded = (name: string): string =>
  encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );

/** With names in any script, which no name can break out of. */
export function contentDisposition(kind: "inline" | "attachment", name: string): string {
  return `${kind}; filename="${plain(name)}"; filename*=UTF-8''${encoded(name)}`;
}

/** A part of a form as its header tells it. `filename` may be a path, and is whatever the client wrote. */
export type Disposition = { name: string; filename: string | undefined };

/** A backslash escapes a quote alone: Windows paths are written as they are. */
const PARAMETER = /;\s*([\w!#$&+.^`|~-]+\*?)\s*=\s*("(?:\\"|[^"])*"|[^;]*)/g;

/**
 * Reads the header of a form's part; undefined if it is none.
 * @param header its bytes, one to a character
 */
export function parseDisposition(header: string): Disposition | undefined {
  const text = decoded(Uint8Array.from(header, (char) => char.charCodeAt(0)));
  if (!/^form-data\s*(;|$)/i.test(text)) return undefined;
  const parameters = new Map<string, string>();
  for (const [, key = "", value = ""] of text.matchAll(PARAMETER)) parameters.set(key.toLowerCase(), unquoted(value));
  const filename = parameters.get("filename");
  return {
    name: extended(parameters.get("name*")) ?? unescaped(parameters.get("name") ?? ""),
    // Whichever comes first: the extended form is there because the plain one could not say it (RFC 6266, 4.3).
    filename:
      extended(parameters.get("filename*")) ?? (filename === undefined ? undefined : unescaped(wordsOf(filename))),
  };
}

const unquoted = (value: string): string =>
  /^".*"$/s.test(value) ? value.slice(1, -1).replace(/\\(["\\])/g, "$1") : value.trim();

/** Browsers write these three characters so (HTML standard, "multipart/form-data encoding algorithm"). */
const unescaped = (value: string): string =>
  value.replace(/%(22|0D|0A)/gi, (escaped) => String.fromCharCode(Number.parseInt(escaped.slice(1), 16)));

/** `charset'language'percent-encoded`, or undefined if it is not so (RFC 8187, 3.2). */
function extended(value: string | undefined): string | undefined {
  const [, charset, text] = /^([\w-]+)'[^']*'(.*)$/s.exec(value ?? "") ?? [];
  if (charset === undefined || text === undefined) return undefined;
  return decodedFrom(charset, bytesOfEscapes(text, "%"));
}

/** The name as a mail program or .NET writes it, if it is so written (RFC 2047, 2). */
function wordsOf(value: string): string {
  const words = value.trim().split(/\s+/);
  const texts = words.map((word) => {
    const [, charset = "", form, text = ""] = /^=\?([\w-]+)\?([bq])\?([^?]*)\?=$/i.exec(word) ?? [];
    if (form === undefined) return undefined;
    if (form.toLowerCase() === "q") return decodedFrom(charset, bytesOfEscapes(text.replaceAll("_", " "), "="));
    const bytes = bytesOfBase64(text);
    return bytes && decodedFrom(charset, bytes);
  });
  return texts.includes(undefined) ? value : texts.join("");
}

function bytesOfBase64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.fromBase64(text);
  } catch {
    return undefined;
  }
}

function bytesOfEscapes(text: string, sign: "%" | "="): Uint8Array {
  const escaped = sign === "%" ? /%([0-9a-f]{2})/gi : /=([0-9a-f]{2})/gi;
  const raw = new TextEncoder().encode(text);
  const binary = String.fromCharCode(...raw).replace(escaped, (_, hex) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Uint8Array.from(binary, (char) => char.charCodeAt(0));
}

/** Undefined for a charset that nobody knows, or bytes that are not of it. */
function decodedFrom(charset: string, bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder(charset, { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** UTF-8, as browsers send it; what is none comes from an old program. */
export const decoded = (bytes: Uint8Array): string =>
  decodedFrom("utf-8", bytes) ?? new TextDecoder("windows-1252").decode(bytes);
