/** The two documents are what their own validators take. That they are true, docs.test.ts tests. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Parser } from "@asyncapi/parser";
import { createClient } from "@hey-api/openapi-ts";
import { Validator } from "@seriousme/openapi-schema-validator";
import openapiTS, { astToString } from "openapi-typescript";
import { describe, expect, it } from "vitest";
import { z } from "zod";

/** The document as text, made by the Worker's own code in a Node of its own. */
function documentOf(name: string): string {
  const program = `import { documentOf } from "./scripts/documents.ts";
    process.stdout.write(JSON.stringify(await documentOf(${JSON.stringify(name)})));`;
  const root = join(import.meta.dirname, "../..");
  return execFileSync(process.execPath, ["--input-type=module", "--no-warnings", "--eval", program], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
}

const Operations = z.object({
  paths: z.record(z.string(), z.record(z.string(), z.object({ operationId: z.string() }))),
});

describe("openapi.json", () => {
  const text = documentOf("openapi.json");

  it("is OpenAPI 3.1, by its schema: nothing in it that OpenAPI does not know", async () => {
    const { valid, errors } = await new Validator().validate(JSON.parse(text));
    expect({ valid, errors }).toMatchObject({ valid: true });
  });

  it("names every operation by its method and path, once: what generated clients call it stays", () => {
    const operations = Object.entries(Operations.parse(JSON.parse(text)).paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { operationId }]) => ({ line: `${method} ${path}`, operationId })),
    );
    const ids = operations.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.filter((id) => !/^[a-z][A-Za-z0-9]+$/.test(id))).toEqual([]);
    expect(operations).toContainEqual({ line: "post /videos/{id}/like", operationId: "postVideosIdLike" });
    expect(operations).toContainEqual({ line: "get /rooms", operationId: "getRooms" });
  });
});

describe("generators of clients", () => {
  const text = documentOf("openapi.json");

  it("two that are much used make clients of openapi.json, and these compile, strictly", async () => {
    const folder = mkdtempSync(join(tmpdir(), "roomcast-generated-"));
    try {
      writeFileSync(join(folder, "paths.ts"), astToString(await openapiTS(text)));
      const output = { path: join(folder, "sdk") };
      await createClient({ input: JSON.parse(text), output, logs: { level: "silent", file: false } });
      writeFileSync(
        join(folder, "app.ts"),
        `import type { components, paths } from "./paths.ts";
         import { getRooms, postMessages } from "./sdk/index.ts";
         const room: components["schemas"]["Room"] | undefined = (await getRooms({ query: { limit: 5 } })).data?.rooms[0];
         const said: paths["/messages"]["post"]["requestBody"] = { content: { "application/json": { receiverId: 2, content: "Hi" } } };
         await postMessages({ body: { receiverId: 2, content: room?.name ?? "Hi" } });
         // @ts-expect-error content is required
         await postMessages({ body: { receiverId: 2 } });
         export { said };`,
      );
      const modules = { module: "esnext", moduleResolution: "bundler", allowImportingTsExtensions: true };
      const compilerOptions = { ...modules, target: "es2024", lib: ["esnext", "dom", "dom.iterable"], types: [] };
      const config = { compilerOptions: { ...compilerOptions, strict: true, noEmit: true }, include: ["."] };
      writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
      execFileSync("tsc", ["-p", folder], { encoding: "utf8", stdio: "pipe" });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe("asyncapi.json", () => {
  it("is AsyncAPI, by its own parser: no error and no warning", async () => {
    const { document, diagnostics } = await new Parser().parse(documentOf("asyncapi.json"));
    expect(document).toBeDefined();
    const [ERROR, WARNING] = [0, 1];
    expect(diagnostics.filter(({ severity }) => severity === ERROR || severity === WARNING)).toEqual([]);
  });
});
