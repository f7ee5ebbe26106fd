/** Reads JSON schema: what kind a value is, which fields it has, what an example looks like. */
import { h } from "/dom.js";

const DEEPEST = 3;

/** Follows a `$ref` from the document's root. */
export function resolve(schema, root) {
  let found = schema ?? {};
  for (let steps = 0; found.$ref && steps < 10; steps += 1) {
    found =
      found.$ref
        .slice(2)
        .split("/")
        .reduce((at, part) => at?.[part], root) ?? {};
  }
  return found;
}

const nameOf = (schema) =>
  schema?.$ref
    ?.split("/")
    .at(-1)
    ?.replace(/Input$/, "");
/** Bytes: of a form a file, or several of them. */
export const isFile = (schema, root) => {
  const found = resolve(schema, root);
  return found.format === "binary" || resolve(found.items, root).format === "binary";
};

const isNull = (schema) => schema.type === "null";

/** A nullable value's own schema; of a choice, the first. */
function core(schema, root) {
  const found = resolve(schema, root);
  const [first] = (found.anyOf ?? found.oneOf ?? found.allOf ?? []).filter((one) => !isNull(one));
  if (first) return core(first, root);
  return Array.isArray(found.type) ? { ...found, type: found.type.find((type) => type !== "null") } : found;
}

/** e.g. `integer`, `"video" | "comment"`, `DirectMessage[]`, `string or null`. */
export function kindOf(schema, root) {
  if (nameOf(schema)) return nameOf(schema);
  const found = schema ?? {};
  const choices = found.anyOf ?? found.oneOf;
  if (choices) return [...new Set(choices.map((one) => kindOf(one, root)))].join(" or ");
  if (found.allOf) return found.allOf.map((one) => kindOf(one, root)).join(" and ");
  if ("const" in found) return JSON.stringify(found.const);
  if (found.enum) return found.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (found.type === "array") return `${kindOf(found.items, root)}[]`;
  if (Array.isArray(found.type)) return found.type.join(" or ");
  if (found.format) return found.format;
  return found.type ?? "anything";
}

/** What must hold for a value, in words. */
export function limitsOf(schema, root) {
  const { minLength, maxLength, minimum, maximum, maxItems, pattern, ...rest } = core(schema, root);
  const limits = [];
  if (maxLength !== undefined) limits.push(`${minLength ?? 0} to ${maxLength} characters`);
  else if (minLength !== undefined) limits.push(`at least ${minLength} characters`);
  if (minimum !== undefined && minimum > Number.MIN_SAFE_INTEGER) limits.push(`from ${minimum}`);
  if (maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER) limits.push(`up to ${maximum}`);
  if (maxItems !== undefined) limits.push(`at most ${maxItems}`);
  if (pattern !== undefined && !rest.format) limits.push(`matches ${pattern}`);
  if (rest.default !== undefined) limits.push(`default ${JSON.stringify(rest.default)}`);
  return limits.join(", ");
}

/** The fields of an object (or of the objects in a list), with those inside them, as a table; null if there are none. */
export function fieldTable(schema, root) {
  const rows = [...fieldRows(schema, root, 0)];
  if (rows.length === 0) return null;
  const head = h("tr", {}, ...["Field", "Type", "About"].map((text) => h("th", { scope: "col" }, text)));
  return h("div", { class: "scroll" }, h("table", {}, h("thead", {}, head), h("tbody", {}, ...rows)));
}

function* fieldRows(schema, root, depth) {
  const found = core(schema, root);
  if (found.type === "array") return yield* fieldRows(found.items, root, depth);
  for (const [name, field] of Object.entries(found.properties ?? {})) {
    yield fieldRow(name, field, found.required?.includes(name), root, depth);
    if (depth < DEEPEST) yield* fieldRows(field, root, depth + 1);
  }
}

export function fieldRow(name, schema, isRequired, root, depth = 0) {
  const about = [resolve(schema, root).description, limitsOf(schema, root)].filter(Boolean).join("; ");
  const cell = h(
    "td",
    {},
    h(
      "div",
      { class: `deep-${depth}` },
      h("code", { class: "name" }, name),
      isRequired ? h("span", { class: "need", title: "required" }, " *") : "",
    ),
  );
  return h("tr", {}, cell, h("td", { class: "kind" }, kindOf(schema, root)), h("td", {}, about));
}

const TEXT_FOR = {
  username: "demo",
  password: "demo-password",
  email: "demo@example.com",
  content: "Hello",
  token: "<token>",
};

/** A value that the schema describes: for reading, and as the body of the curl line. */
export function exampleOf(schema, root, name = "", depth = 0) {
  const found = core(schema, root);
  if (found.example !== undefined) return found.example;
  if ("const" in found) return found.const;
  if (found.default !== undefined) return found.default;
  if (found.enum) return found.enum[0];
  if (found.properties && depth < 5) {
    const fields = Object.entries(found.properties);
    return Object.fromEntries(fields.map(([field, inner]) => [field, exampleOf(inner, root, field, depth + 1)]));
  }
  if (found.type === "array") return depth < 4 ? [exampleOf(found.items, root, name, depth + 1)] : [];
  if (found.type === "integer" || found.type === "number") return Math.max(found.minimum ?? 1, 1);
  if (found.type === "boolean") return true;
  if (found.format === "date-time") return "2026-01-31T12:00:00.000Z";
  if (found.format === "email") return TEXT_FOR.email;
  if (found.type === "string") return TEXT_FOR[name] ?? "text";
  return {};
}

/** The same, with the required fields alone: the least that works. */
export function leastOf(schema, root) {
  const found = core(schema, root);
  if (!found.properties) return exampleOf(schema, root);
  const wanted = Object.entries(found.properties).filter(([name]) => found.required?.includes(name));
  const fields = wanted.length > 0 ? wanted : Object.entries(found.properties).slice(0, 1);
  return Object.fromEntries(fields.map(([name, field]) => [name, exampleOf(field, root, name, 1)]));
}
