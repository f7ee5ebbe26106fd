/** `Content-Disposition` (RFC 6266) with names in any script (RFC 8187), which no name can break out of. */

/** For old clients: what is not plain ASCII, or has a meaning in a quoted string, becomes `_`. */
const plain = (name: string): string => name.replace(/[^\x20-\x7e]|["\\%]/g, "_");

/** RFC 8187, 3.2.1: encodeURIComponent leaves four characters that are no attr-char. */
const encoded = (name: string): string =>
  encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );

export function contentDisposition(kind: "inline" | "attachment", name: string): string {
  return `${kind}; filename="${plain(name)}"; filename*=UTF-8''${encoded(name)}`;
}
