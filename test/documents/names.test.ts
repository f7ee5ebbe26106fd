/** What makers of clients stumble over, in any language: none of it is in openapi.json. */
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { documentOf } from "./document-of.ts";

const Schema = z.looseObject({
  $ref: z.string().optional(),
  type: z.union([z.string(), z.array(z.string())]).optional(),
  format: z.string().optional(),
  pattern: z.string().optional(),
  enum: z.array(z.unknown()).optional(),
  const: z.unknown().optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  required: z.array(z.string()).optional(),
  oneOf: z.array(z.looseObject({ $ref: z.string().optional() })).optional(),
  discriminator: z.object({ propertyName: z.string(), mapping: z.record(z.string(), z.string()) }).optional(),
});
type Schema = z.infer<typeof Schema>;
const Content = z.record(z.string(), z.object({ schema: Schema }));
const Operation = z.looseObject({
  operationId: z.string(),
  parameters: z.array(z.looseObject({ name: z.string(), in: z.string() })).default([]),
  requestBody: z.looseObject({ content: Content }).optional(),
  responses: z.record(z.string(), z.looseObject({ content: Content.default({}) })),
});
const Document = z.looseObject({
  paths: z.record(z.string(), z.record(z.string(), Operation)),
  components: z.looseObject({ schemas: z.record(z.string(), Schema) }),
});

const document = Document.parse(JSON.parse(documentOf("openapi.json")));
const { schemas } = document.components;
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ line: `${method} ${path}`, ...operation })),
);

/** Every object of the document, with the way to it. Data that looks like a schema is none too many. */
function* objectsIn(value: unknown, way = ""): Generator<{ way: string; schema: Schema }> {
  if (typeof value !== "object" || value === null) return;
  const { success, data } = Schema.safeParse(value);
  if (success && !Array.isArray(value)) yield { way, schema: data };
  for (const [key, inner] of Object.entries(value)) yield* objectsIn(inner, `${way}/${key}`);
}
const all = [...objectsIn(document)];

/** As `snake_case`, `PascalCase` and `camelCase` make it: what is one by that is one to some language. */
const plain = (name: string): string => name.replace(/[^A-Za-z0-9]/g, "").toLowerCase();
/** Those that are the same to some language. */
const clashing = (names: string[]): string[] =>
  names.filter((name, at) => names.some((other, otherAt) => otherAt !== at && plain(other) === plain(name)));

describe("names in openapi.json", () => {
  it("of operations come from method and path, once in any spelling: what made clients call them stays", () => {
    const ids = operations.map(({ operationId }) => operationId);
    expect(ids.length).toBeGreaterThan(200);
    expect(clashing(ids)).toEqual([]);
    expect(ids.filter((id) => !/^[a-z][A-Za-z0-9]+$/.test(id))).toEqual([]);
    const named = operations.map(({ line, operationId }) => [line, operationId]);
    expect(named).toContainEqual(["post /videos/{id}/like", "postVideosIdLike"]);
    expect(named).toContainEqual(["get /rooms", "getRooms"]);
  });

  it("of schemas are classes' names, once in any spelling", () => {
    const names = Object.keys(schemas);
    expect(names.length).toBeGreaterThan(80);
    expect(clashing(names)).toEqual([]);
    expect(names.filter((name) => !/^[A-Z][A-Za-z0-9]+$/.test(name))).toEqual([]);
    // A made client speaks of these itself: of a file that it uploads, for one.
    const taken = ["Blob", "Date", "File", "List", "Map", "Promise", "Record", "Request", "Response", "Set", "String"];
    expect(names.filter((name) => taken.includes(name))).toEqual([]);
  });

  it("of fields, of an enumeration's values and of a call's parameters are once in any spelling", () => {
    const wrong = all.flatMap(({ way, schema }) => [
      ...clashing(Object.keys(schema.properties ?? {})).map((name) => `${way}: ${name}`),
      ...clashing((schema.enum ?? []).map(String)).map((value) => `${way}: ${value}`),
    ]);
    const parameters = operations.flatMap((operation) =>
      clashing(operation.parameters.map(({ name }) => name)).map((name) => `${operation.line}: ${name}`),
    );
    expect([...wrong, ...parameters]).toEqual([]);
  });

  it("of fields can be fields' names as they are, and what is required is there", () => {
    const wrong = all.flatMap(({ way, schema: { properties = {}, required = [] } }) => [
      ...Object.keys(properties).filter((name) => !/^[A-Za-z][A-Za-z0-9_]*$/.test(name)),
      ...required.filter((name) => !(name in properties)).map((name) => `${way}: ${name}`),
    ]);
    expect(wrong).toEqual([]);
  });
});

describe("schemas of openapi.json", () => {
  it("of a choice are named, and a field that each of them requires tells which it is", () => {
    const choices = all.filter(({ schema }) => schema.oneOf);
    expect(choices.length).toBeGreaterThan(2);
    for (const { way, schema: choice } of choices) {
      const { propertyName = "", mapping = {} } = choice.discriminator ?? {};
      const refs = (choice.oneOf ?? []).map(({ $ref }) => $ref);
      expect(new Set(Object.values(mapping)), way).toEqual(new Set(refs));
      for (const [value, ref] of Object.entries(mapping)) {
        const { properties = {}, required = [] } = schemas[ref.split("/").at(-1) ?? ""] ?? {};
        expect(required, `${way}: ${value}`).toContain(propertyName);
        expect(Schema.parse(properties[propertyName]).enum, `${way}: ${value}`).toContain(value);
      }
    }
  });

  it("have patterns that mean the same in JavaScript, Python and Dart: no flags, no classes of Unicode", () => {
    const patterns = [...new Set(all.flatMap(({ schema }) => schema.pattern ?? []))];
    expect(patterns.length).toBeGreaterThan(5);
    expect(patterns.filter((pattern) => !/^\^.*\$$/.test(pattern) || /\\[pP]\{|\(\?<|\\k/.test(pattern))).toEqual([]);
    const matches = (text: string) => patterns.filter((pattern) => new RegExp(pattern, "u").test(text));
    expect(matches("👍"), "the pattern of an emoji").toHaveLength(1);
  });

  it("have enumerations whose values can be names", () => {
    const texts = all.flatMap(({ way, schema }) =>
      (schema.enum ?? []).flatMap((value) => (typeof value === "string" ? [[way, value] as const] : [])),
    );
    expect(texts.filter(([, value]) => !/^[A-Za-z]/.test(value))).toEqual([]);
  });

  it("have values of one kind: a constant where there is one boolean, and no enumeration of booleans", () => {
    const isWrong = ({ enum: values = [] }: Schema) => values.some((value) => typeof value === "boolean");
    expect(all.filter(({ schema }) => isWrong(schema)).map(({ way }) => way)).toEqual([]);
    expect(schemas.Done?.properties?.success).toMatchObject({ type: "boolean", const: true });
  });
});

describe("bytes in openapi.json", () => {
  const bodies = operations.flatMap(({ line, requestBody }) =>
    Object.entries(requestBody?.content ?? {}).map(([type, { schema }]) => ({ line, type, schema })),
  );

  it("of a form are its files, of any other call the whole body", () => {
    const forms = bodies.filter(({ type }) => type === "multipart/form-data");
    const uploads = ["post /videos", "post /files/upload", "post /files/upload/multiple", "post /vod/upload"];
    expect(forms.map(({ line }) => line).sort()).toEqual(uploads.sort());
    for (const { line, schema } of forms) {
      const files = [...objectsIn(schema)].filter((one) => one.schema.format === "binary");
      expect(files.length, line).toBeGreaterThan(0);
    }
    const others = bodies.filter(({ type }) => !["multipart/form-data", "application/json"].includes(type));
    expect(others).toEqual([
      {
        line: "patch /files/tus/{id}",
        type: "application/offset+octet-stream",
        schema: { type: "string", format: "binary" },
      },
    ]);
  });

  it("of an answer are no text, and an answer without a body has none", () => {
    for (const { line, responses } of operations) {
      for (const [status, { content }] of Object.entries(responses)) {
        if (status === "204" || status.startsWith("3")) expect(content, `${line} ${status}`).toEqual({});
        const bytes = content["application/octet-stream"];
        if (bytes) expect(bytes.schema, `${line} ${status}`).toEqual({ type: "string", format: "binary" });
      }
    }
  });
});
