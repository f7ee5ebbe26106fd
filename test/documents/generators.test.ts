/** Makers of clients that are much used take openapi.json as it is, and what they make compiles. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@hey-api/openapi-ts";
import openapiTS, { astToString } from "openapi-typescript";
import { InputData, JSONSchemaInput, quicktype } from "quicktype-core";
import { afterAll, describe, expect, it } from "vitest";
import { documentOf } from "./document-of.ts";

const text = documentOf("openapi.json");
const folder = mkdtempSync(join(tmpdir(), "roomcast-generated-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("in TypeScript", () => {
  it("two make clients that compile, strictly", async () => {
    writeFileSync(join(folder, "paths.ts"), astToString(await openapiTS(text)));
    const output = { path: join(folder, "sdk") };
    await createClient({ input: JSON.parse(text), output, logs: { level: "silent", file: false } });
    writeFileSync(
      join(folder, "app.ts"),
      `import type { components, paths } from "./paths.ts";
       import { getRooms, postFilesUpload, postMessages, type WebhookEvent } from "./sdk/index.ts";
       const room: components["schemas"]["Room"] | undefined = (await getRooms({ query: { limit: 5 } })).data?.rooms[0];
       const said: paths["/messages"]["post"]["requestBody"] = { content: { "application/json": { receiverId: 2, content: "Hi" } } };
       await postMessages({ body: { receiverId: 2, content: room?.name ?? "Hi" } });
       // @ts-expect-error content is required
       await postMessages({ body: { receiverId: 2 } });
       const { data } = await postFilesUpload({ body: { folder: "notes", file: new File(["hello"], "note.pdf") } });
       data?.data.sha256.length;
       // @ts-expect-error the file is required
       await postFilesUpload({ body: { folder: "notes" } });
       export const words = (event: WebhookEvent) => (event.type === "room.message_sent" ? event.data.content : "");
       export { said };`,
    );
    const modules = { module: "esnext", moduleResolution: "bundler", allowImportingTsExtensions: true };
    const compilerOptions = { ...modules, target: "es2024", lib: ["esnext", "dom", "dom.iterable"], types: [] };
    const config = { compilerOptions: { ...compilerOptions, strict: true, noEmit: true }, include: ["."] };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
    execFileSync("tsc", ["-p", folder], { encoding: "utf8", stdio: "pipe" });
  });
});

/** The document's schemas as classes of a language, with what reads them from JSON and writes them. */
async function classesIn(lang: "python" | "dart"): Promise<string> {
  const input = new JSONSchemaInput(undefined);
  await input.addSource({ name: "Roomcast", schema: text, uris: ["#/components/schemas/"] });
  const inputData = new InputData();
  inputData.addInput(input);
  const { lines } = await quicktype({ inputData, lang });
  return lines.join("\n");
}

const CLASSES = ["Room", "DirectMessage", "RoomMessage", "FileInfo", "RoomMessageSentEvent"];
const isPythonHere = spawnSync("python3", ["--version"]).status === 0;

describe("in Python and Dart", () => {
  it.skipIf(!isPythonHere)("the schemas are classes of Python, which compile", async () => {
    const file = join(folder, "roomcast.py");
    const code = await classesIn("python");
    writeFileSync(file, code);
    execFileSync("python3", ["-m", "py_compile", file], { encoding: "utf8", stdio: "pipe" });
    for (const name of CLASSES) expect(code).toMatch(new RegExp(`^class ${name}:$`, "m"));
  });

  it("the schemas are classes of Dart", async () => {
    const code = await classesIn("dart");
    for (const name of CLASSES) expect(code).toMatch(new RegExp(`^class ${name} \\{$`, "m"));
  });
});
