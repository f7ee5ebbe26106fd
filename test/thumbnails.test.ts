/** `?w=320` on an image's view (SPEC 14): by the Images binding where it is there, and as it is otherwise. */
import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { app } from "../src/app.ts";
import { bearer, mintUser, ORIGIN } from "./support/api.ts";
import { uploadNamed } from "./support/files.ts";
import { as } from "./support/rooms.ts";
import { sample } from "./support/samples.ts";

/** An Images binding that answers what it was asked for. */
function imagesBinding(isBroken = false): object {
  const made = (transform: object, format: string) =>
    isBroken
      ? Promise.reject(new Error("no image"))
      : Promise.resolve({ image: () => new Response(JSON.stringify({ ...transform, format })).body });
  const transform = (wanted: object) => ({ output: ({ format }: { format: string }) => made(wanted, format) });
  return { input: () => ({ transform }) };
}

/** Reads an address from a Worker with these bindings. */
async function read(address: string, headers: Record<string, string> = {}, bindings: object = {}) {
  const request = new Request(new URL(address, ORIGIN), { headers });
  const response = await app.fetch(request, { ...env, ...bindings }, createExecutionContext());
  return { status: response.status, headers: response.headers, bytes: new Uint8Array(await response.arrayBuffer()) };
}
const asText = ({ bytes }: { bytes: Uint8Array }) => new TextDecoder().decode(bytes);

it("without the binding, an image is what it is", async () => {
  const ann = await mintUser("ann");
  const file = await uploadNamed(ann, "picture.png", { visibility: "public" });
  const { status, bytes } = await read(`${file.url}?w=320`);
  expect([status, bytes]).toEqual([200, sample("png")]);
});

it("gives a thumbnail no wider than the next width up, kept apart from the image, to whoever may see that", async () => {
  const ann = await mintUser("ann");
  const bindings = { IMAGES: imagesBinding() };
  const file = await uploadNamed(ann, "picture.png");
  const small = await read(`${file.url}?w=300`, bearer(ann), bindings);
  expect(JSON.parse(asText(small))).toEqual({ width: 320, fit: "scale-down", format: "image/png" });
  const whole = await read(file.url, bearer(ann), bindings);
  expect(whole.bytes).toEqual(sample("png"));
  const etag = small.headers.get("ETag") ?? "";
  expect(etag).not.toBe(whole.headers.get("ETag"));
  expect(small.headers.get("X-Content-Type-Options")).toBe("nosniff");
  expect((await read(`${file.url}?w=320`, { ...bearer(ann), "If-None-Match": etag }, bindings)).status).toBe(304);
  expect((await read(`${file.url}?w=320`, {}, bindings)).status).toBe(401);
  for (const w of ["9999", "abc", ""])
    expect((await read(`${file.url}?w=${w}`, bearer(ann), bindings)).bytes).toEqual(sample("png"));
  const { body } = await as(ann, "POST", "/files/signed-url", { folder: file.folder, file: file.name });
  expect((await read(`${body.data.url}&w=320`, {}, bindings)).status).toBe(200);
  expect((await read(`${body.data.url}&width=320`, {}, bindings)).status).toBe(400);
});

it("what is no picture of dots, or cannot be read as one, is served as it is", async () => {
  const ann = await mintUser("ann");
  const drawing = await uploadNamed(ann, "drawing.svg", { visibility: "public" });
  expect((await read(`${drawing.url}?w=320`, {}, { IMAGES: imagesBinding() })).bytes).toEqual(sample("svg"));
  const broken = await uploadNamed(ann, "picture.jpg", { visibility: "public" });
  expect((await read(`${broken.url}?w=320`, {}, { IMAGES: imagesBinding(true) })).bytes).toEqual(sample("jpg"));
});
