/** One REST call: who, what goes in, what comes out, and a curl line. */

import { foldOut } from "/docs/item.js";
import { prose } from "/docs/prose.js";
import { exampleOf, fieldRow, fieldTable, isFile, kindOf, leastOf, resolve } from "/docs/schema.js";
import { tryOut } from "/docs/try.js";
import { h } from "/dom.js";
import { codeBlock } from "/ui/copy.js";

const KIND_OF_METHOD = { get: "info", post: "good", put: "warn", patch: "warn", delete: "bad" };
const KIND_OF_WHO = { anyone: "", user: "accent", moderator: "warn", admin: "bad" };

export const endpointId = (method, path) => `${method}${path.replace(/[{}]/g, "")}`;

/** The words that the search looks through. */
export const endpointWords = (method, path, { summary = "", description = "" }) =>
  `${method} ${path} ${summary} ${description}`.toLowerCase();

export function endpoint(method, path, operation, root) {
  const who = operation["x-who"] ?? (needsToken(operation) ? "user" : "anyone");
  const summary = [
    h("span", { class: `badge verb ${KIND_OF_METHOD[method] ?? ""}` }, method.toUpperCase()),
    h("code", { class: "path" }, path),
    h("span", { class: "what" }, operation.summary ?? ""),
    h("span", { class: `badge ${KIND_OF_WHO[who] ?? ""}`, title: "Who may call" }, who),
  ];
  return foldOut(endpointId(method, path), summary, () => inside(method, path, operation, root));
}

function inside(method, path, operation, root) {
  const body = bodyOf(operation);
  return [
    operation.description ? h("p", {}, ...prose(operation.description)) : null,
    ...parameters(operation.parameters ?? [], root),
    ...(body ? [h("h3", {}, `Body (${body.type})`), fieldTable(body.schema, root)] : []),
    h("h3", {}, "Answers"),
    ...Object.entries(operation.responses).map(([status, response]) => answer(status, response, root)),
    ...(operation["x-channel"]
      ? [h("p", {}, "What goes over it: ", h("a", { href: `#channel-${operation["x-channel"]}` }, "its events"), ".")]
      : [h("h3", {}, "curl"), codeBlock(curl(method, path, operation, root))]),
    // A server's key belongs into no page.
    operation["x-channel"] || operation["x-who"]?.startsWith("key:")
      ? null
      : tryOut({ method, path, operation, body }, root),
  ];
}

function bodyOf({ requestBody }) {
  const [entry] = Object.entries(requestBody?.content ?? {});
  return entry && { type: entry[0], schema: entry[1].schema };
}

function parameters(list, root) {
  if (list.length === 0) return [];
  const rows = list.map(({ name, in: place, required, description, schema }) =>
    fieldRow(
      `${name} (${place})`,
      { ...resolve(schema, root), ...(description ? { description } : {}) },
      required,
      root,
    ),
  );
  const head = h("tr", {}, ...["Name", "Type", "About"].map((text) => h("th", { scope: "col" }, text)));
  return [
    h("h3", {}, "Parameters"),
    h("div", { class: "scroll" }, h("table", {}, h("thead", {}, head), h("tbody", {}, ...rows))),
  ];
}

function answer(status, response, root) {
  const { description, content = {} } = resolve(response, root);
  const [entry] = Object.entries(content);
  const isGood = /^[123]/.test(status);
  const badge = h("span", { class: `badge ${isGood ? "good" : "bad"}` }, status === "default" ? "failure" : status);
  const about = !entry ? description : entry[0] === "application/json" ? kindOf(entry[1].schema, root) : entry[0];
  const line = [badge, h("span", { class: "muted" }, about === "object" ? description : about)];
  if (entry?.[0] !== "application/json") return h("div", { class: "answer" }, ...line);
  return h(
    "details",
    { class: "answer" },
    h("summary", { class: "answer-line" }, ...line),
    fieldTable(entry[1].schema, root),
    h("pre", {}, h("code", {}, JSON.stringify(exampleOf(entry[1].schema, root), null, 2))),
  );
}

/** For a shell: a quote inside single quotes ends them, is escaped, and begins them anew. */
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** Not where one may call with or without. */
const needsToken = ({ security = [] }) => security.length > 0 && security.every((way) => Object.keys(way).length > 0);

function curl(method, path, operation, root) {
  const base = new URL(root.servers[0].url, location.href).href;
  const values = (operation.parameters ?? []).filter(({ in: place }) => place === "path");
  const filled = values.reduce(
    (text, { name, schema }) => text.replace(`{${name}}`, encodeURIComponent(String(exampleOf(schema, root, name)))),
    path,
  );
  const query = (operation.parameters ?? [])
    .filter(({ in: place, required }) => place === "query" && required)
    .map(({ name, schema }) => `${name}=${encodeURIComponent(String(exampleOf(schema, root, name)))}`)
    .join("&");
  const headers = (operation.parameters ?? [])
    .filter(({ in: place, required }) => place === "header" && required)
    .map(({ name, schema }) => `-H ${quoted(`${name}: ${exampleOf(schema, root, name)}`)}`);
  const lines = [
    `curl ${method === "get" ? "" : `-X ${method.toUpperCase()} `}${quoted(`${base}${filled}${query ? `?${query}` : ""}`)}`,
  ];
  if (needsToken(operation)) lines.push('-H "Authorization: Bearer $TOKEN"');
  lines.push(...headers);
  const body = bodyOf(operation);
  if (body?.type.startsWith("multipart/")) {
    const fields = Object.entries(resolve(body.schema, root).properties ?? {});
    lines.push(
      ...fields.map(
        ([name, field]) => `-F ${name}=${isFile(field, root) ? "@file" : quoted(String(exampleOf(field, root, name)))}`,
      ),
    );
  } else if (body && isFile(body.schema, root)) {
    lines.push(`-H 'Content-Type: ${body.type}'`, "--data-binary @file");
  } else if (body) {
    lines.push(`-H 'Content-Type: ${body.type}'`, `-d ${quoted(JSON.stringify(leastOf(body.schema, root)))}`);
  }
  return lines.join(" \\\n  ");
}
