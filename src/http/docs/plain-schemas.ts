/** What the library writes of zod schemas in a way that makers of clients, or JSON schema itself, read otherwise. */

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

/** A flag of JavaScript's after the pattern, which others take for a part of it: nothing would match. */
const FLAGS = /\/[dgimsuvy]+$/;

/** One boolean: an enumeration of booleans has no form in Python or Dart, a constant is read by all. */
function withConstant(value: object): object {
  if (!("type" in value) || value.type !== "boolean") return value;
  if (!("enum" in value) || !Array.isArray(value.enum) || value.enum.length !== 1) return value;
  const { enum: only, ...rest } = value;
  return { ...rest, const: only[0] };
}

/** A document whose schemas are read alike by all. */
export const withPlainSchemas = <T extends object>(document: T): T =>
  JSON.parse(JSON.stringify(document), (key, value: unknown) => {
    if (key === "pattern" && typeof value === "string") return value.replace(FLAGS, "");
    return isObject(value) && !Array.isArray(value) ? withConstant(value) : value;
  });
