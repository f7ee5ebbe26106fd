/** The smallest contents that are what they say, and forms to send them in. */
const text = (value: string): Uint8Array<ArrayBuffer> => new Uint8Array(new TextEncoder().encode(value));
const hex = (value: string): Uint8Array<ArrayBuffer> => Uint8Array.fromHex(value.replaceAll(" ", ""));

const cfb = new Uint8Array(512);
cfb.set(hex("d0cf11e0a1b11ae1"));
const tar = new Uint8Array(1024);
tar.set(text("a.txt"), 0);
tar.set(text("ustar"), 257);

export const SAMPLES: Record<string, Uint8Array<ArrayBuffer>> = {
  pdf: text("%PDF-1.4\n1 0 obj\n<<>>\nendobj\n%%EOF\n"),
  doc: cfb,
  xls: cfb,
  ppt: cfb,
  docx: hex("504b0304 1400 0000 0000 0000 0000 00000000 00000000 00000000 0000 0000"),
  xlsx: hex("504b0304 1400 0000 0000 0000 0000 00000000 00000000 00000000 0000 0000"),
  pptx: hex("504b0304 1400 0000 0000 0000 0000 00000000 00000000 00000000 0000 0000"),
  jpg: hex("ffd8ffe000104a46494600010100000100010000ffd9"),
  jpeg: hex("ffd8ffe000104a46494600010100000100010000ffd9"),
  png: Uint8Array.fromBase64(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  ),
  gif: text("GIF89a\u0001\u0000\u0001\u0000\u0000\u0000\u0000;"),
  webp: text("RIFF\u0004\u0000\u0000\u0000WEBPVP8 "),
  svg: text('<?xml version="1.0"?>\n<!-- a drawing -->\n<svg xmlns="http://www.w3.org/2000/svg"><rect/></svg>'),
  mp4: hex("00000018 66747970 69736f6d 00000200 69736f6d69736f32"),
  avi: text("RIFF\u0004\u0000\u0000\u0000AVI LIST"),
  mov: hex("00000014 66747970 71742020 00000000 71742020"),
  wmv: hex("3026b2758e66cf11a6d900aa0062ce6c 00000000"),
  webm: hex("1a45dfa3 9f 4286 81 01 42f7 81 01 42f2 81 04 42f3 81 08 4282 84 7765626d"),
  mp3: hex("49443303000000000000"),
  wav: text("RIFF$\u0000\u0000\u0000WAVEfmt "),
  ogg: hex("4f6767530002 0000000000000000 00000000 00000000 00000000 01 1e 01 766f72626973"),
  m4a: hex("00000018 66747970 4d344120 00000200 69736f6d69736f32"),
  zip: hex("504b0304 1400 0000 0000 0000 0000 00000000 00000000 00000000 0000 0000"),
  rar: hex("526172211a0700"),
  "7z": hex("377abcaf271c0004"),
  tar,
  gz: hex("1f8b0800000000000003"),
};

export const sample = (extension: string): Uint8Array<ArrayBuffer> => {
  const bytes = SAMPLES[extension];
  if (!bytes) throw new Error(`There is no sample of ${extension}`);
  return bytes;
};

export type Entry = [name: string, value: string] | [name: string, value: Uint8Array<ArrayBuffer>, filename: string];

/** A form with its parts in the given order; what is undefined is none. */
export function form(...entries: (Entry | undefined)[]): FormData {
  const data = new FormData();
  for (const [name, value, filename] of entries.filter((entry) => entry !== undefined)) {
    if (typeof value === "string") data.append(name, value);
    // The declared type is a lie on purpose: nobody may believe it.
    else data.append(name, new File([value], filename ?? "", { type: "text/html" }));
  }
  return data;
}

/** As `form`, byte by byte as written: for names that FormData would escape. */
export function rawForm(...entries: Entry[]): { body: Uint8Array; headers: Record<string, string> } {
  const boundary = "----raw-form-boundary";
  const pieces = entries.flatMap(([name, value, filename]) => [
    text(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"`),
    text(filename === undefined ? "\r\n\r\n" : `; filename="${filename}"\r\nContent-Type: text/html\r\n\r\n`),
    typeof value === "string" ? text(value) : value,
    text("\r\n"),
  ]);
  const all = [...pieces, text(`--${boundary}--\r\n`)];
  const body = new Uint8Array(all.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of all) {
    body.set(piece, at);
    at += piece.length;
  }
  return { body, headers: { "Content-Type": `multipart/form-data; boundary=${boundary}` } };
}
