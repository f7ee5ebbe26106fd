/**
 * Memory of an upload and download of 500 MB: `node bench/files.ts [port] [MB]`. Prints the resident memory of workerd (the
 * Worker's and that of `wrangler dev`'s proxy together) after two warm-up rounds (a cold workerd grows by some 180 MB on
 * its first large transfers, whatever the code does) and its growth over the measured round, sampled every 20 ms. Local R2
 * runs in the same process and counts too. Fails if a byte differs or the growth reaches 100 MB.
 */
import { createHash, type Hash } from "node:crypto";
import { Server, type User } from "../test/e2e/restartable-server.ts";

const MB = 1024 * 1024;
const SIZE = Number(process.argv[3] ?? 500) * MB;
const GROWTH_MAX = 100 * MB;
const CHUNK = 256 * 1024;

/** A file of SIZE bytes that begins as MP4 and goes on differently in each chunk. */
function* content(): Generator<Uint8Array> {
  const chunk = new Uint8Array(CHUNK);
  for (let at = 0; at < chunk.length; at += 1) chunk[at] = (at * 31 + (at >> 8)) % 251;
  for (let from = 0; from < SIZE; from += CHUNK) {
    const bytes = chunk.slice();
    new DataView(bytes.buffer).setUint32(16, from);
    if (from === 0) bytes.set(Buffer.from("000000186674797069736f6d", "hex"));
    yield bytes;
  }
}

type Uploaded = { folder: string; name: string; sha256: string; size: number };

async function upload(server: Server, user: User, hash: Hash): Promise<Uploaded> {
  const boundary = "bench-boundary";
  const head = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n`;
  async function* body() {
    yield Buffer.from(head);
    for (const chunk of content()) {
      hash.update(chunk);
      yield chunk;
    }
    yield Buffer.from(`\r\n--${boundary}--\r\n`);
  }
  const response = await fetch(`${server.origin}/api/v1/files/upload`, {
    method: "POST",
    headers: { Authorization: `Bearer ${user.token}`, "Content-Type": `multipart/form-data; boundary=${boundary}` },
    // An async iterable is a body to Node's fetch, which the types do not know.
    body: body() as unknown as BodyInit,
    duplex: "half",
  } as RequestInit);
  if (response.status !== 201) throw new Error(`upload: ${response.status} ${await response.text()}`);
  return ((await response.json()) as { data: Uploaded }).data;
}

async function download(server: Server, user: User, file: Uploaded): Promise<string> {
  const response = await fetch(`${server.origin}/api/v1/files/download/${file.folder}/${file.name}`, {
    headers: { Authorization: `Bearer ${user.token}` },
  });
  if (response.status !== 200 || !response.body) throw new Error(`download: ${response.status}`);
  const hash = createHash("sha256");
  for await (const chunk of response.body) hash.update(chunk);
  return hash.digest("hex");
}

const inMB = (bytes: number): string => `${(bytes / MB).toFixed(0)} MB`;

const server = new Server(Number(process.argv[2] ?? 8845));
try {
  await server.start();
  const user = await server.mintUser();
  console.log(`cold: ${inMB(server.memory())}`);
  for (let round = 1; round <= 2; round += 1) {
    await download(server, user, await upload(server, user, createHash("sha256")));
    console.log(`after warm-up ${round}: ${inMB(server.memory())}`);
  }
  const before = server.memory();
  let peak = before;
  const sampler = setInterval(() => {
    peak = Math.max(peak, server.memory());
  }, 20);
  const measure = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    const started = performance.now();
    const result = await work();
    const seconds = (performance.now() - started) / 1000;
    console.log(`${what}: ${inMB(SIZE)} in ${seconds.toFixed(1)} s, growth so far ${inMB(peak - before)}`);
    return result;
  };
  const sent = createHash("sha256");
  const file = await measure("upload", () => upload(server, user, sent));
  const expected = sent.digest("hex");
  const received = await measure("download", () => download(server, user, file));
  clearInterval(sampler);
  const isExact = file.size === SIZE && file.sha256 === expected && received === expected;
  console.log(`byte-exact: ${isExact}; peak growth: ${inMB(peak - before)} (at most ${inMB(GROWTH_MAX)})`);
  if (!isExact || peak - before >= GROWTH_MAX) process.exitCode = 1;
} finally {
  await server.close();
}
