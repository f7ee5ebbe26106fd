/**
 * Signing in by somebody else: an OIDC provider, or GitHub. The page goes there, and comes back at /account/provider with a code
 * that is of use with the verifier alone, which stays in this tab.
 */
import { call, Refusal, withQuery } from "/api.js";
import { h } from "/dom.js";
import { keepSession } from "/session.js";

const KEY = "roomcast.provider";
const BACK = "/account/provider";

/** `google` → `Google` */
export const titleOf = (name) => name[0].toUpperCase() + name.slice(1);

/** The names of the providers that this service knows. Throws a Refusal. */
export const readProviders = async () => (await call("GET", "/auth/oidc")).providers.map(({ name }) => name);

const base64url = (bytes) =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

/**
 * Leaves for the provider. To sign in, the page that is left comes up again afterwards; `isLink`: to let the provider sign in
 * whoever is signed in now. Throws a Refusal.
 */
export async function goToProvider(name, { isLink = false } = {}) {
  if (!crypto.subtle) throw new Refusal("FORBIDDEN", "This needs a secure page: https, or localhost.");
  const verifier = base64url(crypto.getRandomValues(new Uint8Array(32)));
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  // Who is signed in has no use for the account's forms, this one among them.
  const from = location.pathname.startsWith("/account") ? `${location.origin}/account` : location.href;
  const left = { name, verifier, isLink, from };
  try {
    sessionStorage.setItem(KEY, JSON.stringify(left));
  } catch {
    throw new Refusal("FORBIDDEN", "This needs the browser's storage, which is switched off.");
  }
  const query = { redirect: location.origin + BACK, code_challenge: base64url(new Uint8Array(hash)) };
  location.assign(withQuery(`/api/v1/auth/oidc/${encodeURIComponent(name)}`, query));
}

/** What this tab has left with, once. */
function takeLeft() {
  try {
    const left = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
    sessionStorage.removeItem(KEY);
    return left;
  } catch {
    return null;
  }
}

/**
 * Ends what `goToProvider` began, with what the provider's sign-in came back with. Answers the address to go on at. Throws a
 * Refusal.
 * @param {URLSearchParams} answer
 */
export async function comeBack(answer) {
  const left = takeLeft();
  const code = answer.get("code");
  if (answer.has("error")) {
    throw new Refusal("FORBIDDEN", answer.get("error_description") ?? "The provider did not sign you in.");
  }
  if (!left || !code) throw new Refusal("FORBIDDEN", "This sign-in was not begun in this tab, or is over already.");
  const { name, verifier, isLink, from } = left;
  if (isLink) await call("POST", `/auth/identities/${encodeURIComponent(name)}`, { code, verifier });
  else keepSession(await call("POST", "/auth/oidc/exchange", { code, verifier }, { token: null }));
  return from;
}

/** A button for each provider; nothing where there is none. `onProblem` hears what goes wrong with leaving. */
export function providerButtons(label, onProblem) {
  const node = h("div", { class: "providers" });
  const button = (name) =>
    h("button", { type: "button", onclick: () => goToProvider(name).catch(onProblem) }, `${label} ${titleOf(name)}`);
  // Without the list there is still the password.
  readProviders().then((names) => node.append(...names.map(button)), console.warn);
  return node;
}
