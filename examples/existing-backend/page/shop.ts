/** The shop's page as it was: sign in, and see one's orders. `help.ts` is what makes a part of it live. */
import { openHelp } from "./help.ts";

type Order = { id: number; item: string; state: string };
type Account = { name: string; orders: Order[] };

function element<T extends HTMLElement>(selector: string, kind: new () => T): T {
  const found = document.querySelector(selector);
  if (!(found instanceof kind)) throw new Error(`The page has no ${selector}.`);
  return found;
}

const entry = element("#entry", HTMLElement);
const account = element("#account", HTMLElement);
const signOut = element("#sign-out", HTMLButtonElement);
const talk = element("#talk", HTMLOListElement);
const ask = element("#ask", HTMLFormElement);
const status = element("#status", HTMLElement);

function make(tag: string, text: string, className = ""): HTMLElement {
  const node = document.createElement(tag);
  node.textContent = text;
  node.className = className;
  return node;
}

function showOrder({ id, item, state }: Order): HTMLElement {
  const row = make("li", "");
  row.append(make("strong", item), make("span", `Order ${id}`), make("em", state, state === "delivered" ? "done" : ""));
  return row;
}

function say(who: "customer" | "shop", text: string): void {
  element("#nothing", HTMLElement).hidden = true;
  talk.append(make("li", text, who));
  talk.scrollTop = talk.scrollHeight;
}

let help: Awaited<ReturnType<typeof openHelp>> | undefined;

async function showAccount({ name, orders }: Account): Promise<void> {
  element("#greeting", HTMLElement).textContent = `Hello, ${name}`;
  element("#orders", HTMLUListElement).replaceChildren(...orders.map(showOrder));
  entry.hidden = true;
  account.hidden = signOut.hidden = false;
  try {
    help = await openHelp(say, (now) => {
      status.textContent = now === "open" ? "online" : "connecting…";
      status.className = now;
    });
  } catch {
    element("#help .problem", HTMLElement).textContent = "Help cannot be reached now. Please try again later.";
  }
}

async function start(): Promise<void> {
  const response = await fetch("/session");
  if (response.ok) return showAccount(await response.json());
  entry.hidden = false;
}

element("#sign-in", HTMLFormElement).addEventListener("submit", async (event) => {
  event.preventDefault();
  const problem = element("#sign-in .problem", HTMLElement);
  const fields = Object.fromEntries(new FormData(element("#sign-in", HTMLFormElement)));
  const headers = { "Content-Type": "application/json" };
  const response = await fetch("/session", { method: "POST", headers, body: JSON.stringify(fields) });
  problem.textContent = response.ok ? "" : "We do not know this email with this password.";
  if (response.ok) await start();
});

ask.addEventListener("submit", async (event) => {
  event.preventDefault();
  const field = element("#ask input", HTMLInputElement);
  const problem = element("#help .problem", HTMLElement);
  const question = field.value;
  field.value = "";
  problem.textContent = "";
  try {
    await help?.send(question);
  } catch {
    field.value = question;
    problem.textContent = "That did not arrive. Please send it again.";
  }
});

signOut.addEventListener("click", async () => {
  help?.close();
  await fetch("/session", { method: "DELETE" });
  location.reload();
});

await start();
