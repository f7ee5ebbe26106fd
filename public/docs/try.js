/** Trying a call out: its parameters and body as a form, sent as who is signed in, and the answer as it came. */
import { answerTo, Refusal, withQuery } from "/api.js";
import { exampleOf, isFile, leastOf, limitsOf, resolve } from "/docs/schema.js";
import { h } from "/dom.js";
import { currentSession, onSession } from "/session.js";
import { codeBlock } from "/ui/copy.js";
import { field, onSend, submitButton } from "/ui/form.js";
import { askToSignIn } from "/ui/sign-in.js";

/** Of an answer so much is shown. */
const SHOWN_CHARACTERS = 50_000;

/**
 * @param {{method: string, path: string, operation: any, body: {type: string, schema: any} | undefined}} call
 * @param {any} root the document that `$ref`s point into
 */
export function tryOut({ method, path, operation, body }, root) {
  const parameters = operation.parameters ?? [];
  const shown = h("div", { class: "tried", role: "status" });
  const form = h(
    "form",
    { class: "form" },
    ...parameters.map((parameter) => parameterField(parameter, root)),
    ...(body ? bodyFields(body, root) : []),
    h(
      "div",
      { class: "buttons" },
      submitButton("Send"),
      operation.security?.length ? signedInAs() : null,
      h("span", { class: "muted" }, method === "get" ? "" : "A real call: what it changes is changed."),
    ),
  );
  onSend(form, async (values) => {
    const filled = parameters
      .filter(({ in: place }) => place === "path")
      .reduce((text, { name }) => text.replace(`{${name}}`, encodeURIComponent(values[`path.${name}`])), path);
    const given = (where) =>
      parameters.filter(({ in: place }) => place === where).map(({ name }) => [name, values[`${where}.${name}`]]);
    const headers = given("header").filter(([, value]) => value !== "");
    const sent = body && bodyIn(form, body, root);
    const began = performance.now();
    const response = await answerTo(method.toUpperCase(), withQuery(filled, Object.fromEntries(given("query"))), sent, {
      ...Object.fromEntries(headers),
      ...(sent instanceof Blob ? { "Content-Type": body.type } : {}),
    });
    shown.replaceChildren(...(await answered(response, Math.round(performance.now() - began))));
  });
  return h("details", { class: "try" }, h("summary", { class: "try-line" }, "Try it"), form, shown);
}

function parameterField({ name, in: place, required, description, schema }, root) {
  const about = [description, limitsOf(schema, root)].filter(Boolean).join("; ");
  const isFilled = place === "path" || (place === "header" && required);
  const value = isFilled ? String(exampleOf(schema, root, name)) : "";
  const attributes = { name: `${place}.${name}`, required: required === true, value, autocomplete: "off" };
  return field(`${name} (${place})`, attributes, { hint: about || undefined });
}

function bodyFields({ type, schema }, root) {
  if (isFile(schema, root)) return [field("body", { name: "body", type: "file" })];
  if (!type.startsWith("multipart/")) {
    const text = h("textarea", {
      name: "body",
      rows: 6,
      spellcheck: "false",
      class: "code",
      "aria-label": "Body, JSON",
    });
    text.value = JSON.stringify(leastOf(schema, root), null, 2);
    return [text];
  }
  return Object.entries(resolve(schema, root).properties ?? {}).map(([name, about]) =>
    isFile(about, root)
      ? field(name, { name: `part.${name}`, type: "file", multiple: about.type === "array" })
      : field(name, { name: `part.${name}`, type: "text" }),
  );
}

/** Who sends it; somebody else, on demand. */
function signedInAs() {
  const button = h("button", { type: "button", class: "plain", onclick: () => askToSignIn() });
  const draw = () => {
    const user = currentSession()?.user;
    button.textContent = user ? `as ${user.username}` : "Sign in first";
  };
  draw();
  onSession(draw);
  return button;
}

function bodyIn(form, { type, schema }, root) {
  if (type.startsWith("multipart/")) return filesIn(form);
  const body = new FormData(form).get("body");
  return isFile(schema, root) ? body : jsonIn(body);
}

function jsonIn(text) {
  try {
    return text.trim() === "" ? undefined : JSON.parse(text);
  } catch (error) {
    throw new Refusal("INVALID_REQUEST", `The body is not JSON: ${error.message}`);
  }
}

function filesIn(form) {
  const parts = new FormData();
  for (const [name, value] of new FormData(form)) {
    const isEmpty = value === "" || (value instanceof File && value.size === 0);
    if (name.startsWith("part.") && !isEmpty) parts.append(name.slice("part.".length), value);
  }
  return parts;
}

/** What came: status, how long it took, what it was called and cost, and the body. */
async function answered(response, ms) {
  const { status, headers } = response;
  const facts = [`${ms} ms`, headers.get("X-Request-Id"), headers.get("X-Cost"), retryAfter(headers)].filter(Boolean);
  const line = h(
    "p",
    {},
    h("span", { class: `badge ${status < 400 ? "good" : "bad"}` }, String(status)),
    " ",
    h("span", { class: "muted" }, facts.join(" · ")),
  );
  const type = headers.get("Content-Type") ?? "";
  if (!/json|text/.test(type)) {
    const { size } = await response.blob();
    return [line, h("p", { class: "muted" }, size === 0 ? "Nothing in it." : `${size} bytes of ${type || "no type"}.`)];
  }
  return [line, codeBlock(readable(await response.text(), type))];
}

const retryAfter = (headers) => headers.has("Retry-After") && `again in ${headers.get("Retry-After")} s`;

function readable(text, type) {
  const whole = type.includes("json") ? JSON.stringify(JSON.parse(text), null, 2) : text;
  return whole.length > SHOWN_CHARACTERS ? `${whole.slice(0, SHOWN_CHARACTERS)}\n…` : whole;
}
