/** The two documents are what their own validators take. That they are true, docs.test.ts tests. */
import { Parser } from "@asyncapi/parser";
import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, it } from "vitest";
import { documentOf } from "./document-of.ts";

describe("openapi.json", () => {
  it("is OpenAPI 3.1, by its schema: nothing in it that OpenAPI does not know", async () => {
    const { valid, errors } = await new Validator().validate(JSON.parse(documentOf("openapi.json")));
    expect({ valid, errors }).toMatchObject({ valid: true });
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
