/** The two documents are what their own validators take. That they are true, docs.test.ts tests. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { Parser } from "@asyncapi/parser";
import { Validator } from "@seriousme/openapi-schema-validator";
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

describe("asyncapi.json", () => {
  it("is AsyncAPI, by its own parser: no error and no warning", async () => {
    const { document, diagnostics } = await new Parser().parse(documentOf("asyncapi.json"));
    expect(document).toBeDefined();
    const [ERROR, WARNING] = [0, 1];
    expect(diagnostics.filter(({ severity }) => severity === ERROR || severity === WARNING)).toEqual([]);
  });
});
