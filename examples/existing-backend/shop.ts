/** A shop as it was before anything in it was live: its own customers and orders in SQLite, its own sign-in. */
import { randomBytes, scryptSync, timingSafeEqual } from "node:crypto";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import express, { type Request } from "express";
import { z } from "zod";

export const database = new DatabaseSync(process.env.SHOP_DATABASE ?? join(import.meta.dirname, "shop.sqlite"));
database.exec(`
  CREATE TABLE IF NOT EXISTS customers (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT NOT NULL, password TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS sessions (token TEXT PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers (id));
  CREATE TABLE IF NOT EXISTS orders (
    id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers (id), item TEXT NOT NULL, state TEXT NOT NULL
  );`);

const Customer = z.object({ id: z.number(), name: z.string() });
export type Customer = z.infer<typeof Customer>;
const Order = z.object({ id: z.number(), item: z.string(), state: z.string() });
export type Order = z.infer<typeof Order>;

const hashOf = (password: string, salt: string): Buffer => scryptSync(password, salt, 32);

function makePassword(password: string): string {
  const salt = randomBytes(16).toString("hex");
  return `${salt}:${hashOf(password, salt).toString("hex")}`;
}

function isPassword(password: string, kept: string): boolean {
  const [salt = "", hash = ""] = kept.split(":");
  return timingSafeEqual(hashOf(password, salt), Buffer.from(hash, "hex"));
}

/** Two to try it with. */
const CUSTOMERS = [
  { id: 1, email: "ann@example.com", name: "Ann" },
  { id: 2, email: "bo@example.com", name: "Bo" },
];
const ORDERS: (Order & { customer: number })[] = [
  { id: 1041, customer: 1, item: "Boston fern", state: "on its way, with you on Thursday" },
  { id: 1038, customer: 1, item: "Watering can", state: "delivered" },
  { id: 1042, customer: 2, item: "Olive tree", state: "being packed" },
];
const addCustomer = database.prepare("INSERT OR IGNORE INTO customers VALUES (?, ?, ?, ?)");
for (const { id, email, name } of CUSTOMERS) addCustomer.run(id, email, name, makePassword("plants"));
const addOrder = database.prepare("INSERT OR IGNORE INTO orders VALUES (?, ?, ?, ?)");
for (const { id, customer, item, state } of ORDERS) addOrder.run(id, customer, item, state);

export const ordersOf = ({ id }: Customer): Order[] =>
  z
    .array(Order)
    .parse(database.prepare("SELECT id, item, state FROM orders WHERE customer_id = ? ORDER BY id DESC").all(id));

export const findCustomer = (id: number): Customer | undefined =>
  Customer.optional().parse(database.prepare("SELECT id, name FROM customers WHERE id = ?").get(id));

/** What a customer is told who asks about an order, by its number or its name. */
export function answerTo(customer: Customer, question: string): string {
  const asked = question.toLowerCase();
  const order = ordersOf(customer).find(
    ({ id, item }) => asked.includes(String(id)) || asked.includes(item.toLowerCase()),
  );
  if (order) return `Your ${order.item} (order ${order.id}) is ${order.state}.`;
  return `Thank you, ${customer.name}. We have your message and will write back here.`;
}

const tokenIn = ({ headers }: Request): string => /(?:^|; )session=([\w-]+)/.exec(headers.cookie ?? "")?.[1] ?? "";

/** Whoever is signed in. */
export function customerOf(request: Request): Customer | undefined {
  const query = "SELECT c.id, c.name FROM sessions s JOIN customers c ON c.id = s.customer_id WHERE s.token = ?";
  return Customer.optional().parse(database.prepare(query).get(tokenIn(request)));
}

const SignIn = z.object({ email: z.string(), password: z.string() });
const Account = Customer.extend({ password: z.string() });

export const shop = express();
shop.use(express.static(join(import.meta.dirname, "page")));

shop.get("/session", (request, response) => {
  const customer = customerOf(request);
  if (!customer) return void response.sendStatus(401);
  response.json({ name: customer.name, orders: ordersOf(customer) });
});

shop.post("/session", express.json(), (request, response) => {
  const given = SignIn.safeParse(request.body);
  if (!given.success) return void response.sendStatus(400);
  const row = database.prepare("SELECT id, name, password FROM customers WHERE email = ?").get(given.data.email);
  const account = Account.optional().parse(row);
  if (!account || !isPassword(given.data.password, account.password)) return void response.sendStatus(401);
  const token = randomBytes(32).toString("base64url");
  database.prepare("INSERT INTO sessions VALUES (?, ?)").run(token, account.id);
  response.cookie("session", token, { httpOnly: true, sameSite: "lax", secure: request.secure }).sendStatus(204);
});

shop.delete("/session", (request, response) => {
  database.prepare("DELETE FROM sessions WHERE token = ?").run(tokenIn(request));
  response.clearCookie("session").sendStatus(204);
});
