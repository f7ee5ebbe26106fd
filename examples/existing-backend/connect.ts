/**
 * Once: has an admin of Roomcast make the key and the endpoint that the shop needs, and prints them for `.env`.
 * `npm run --silent connect -- [--url http://localhost:8787] [--username demo] [--password demo-password] [--shop http://localhost:3000]`
 */
import { parseArgs } from "node:util";
import { answerOf, roomcast } from "@roomcast/client";

const { values } = parseArgs({
  options: {
    url: { type: "string", default: "http://localhost:8787" },
    username: { type: "string", default: "demo" },
    password: { type: "string", default: "demo-password" },
    shop: { type: "string", default: "http://localhost:3000" },
  },
});
const { url, username, password, shop } = values;

const { token } = await answerOf(roomcast(url).auth.login.$post({ json: { username, password } }));
const { admin } = roomcast(url, { token });
const { key } = await answerOf(
  admin.keys.$post({ json: { name: "The shop", scopes: ["users", "tokens", "rooms", "publish"] } }),
);
const { secret } = await answerOf(
  admin.webhooks.$post({ json: { url: `${shop}/roomcast`, events: ["room.message_sent"] } }),
);
console.log(`ROOMCAST_URL=${url}\nROOMCAST_KEY=${key}\nROOMCAST_SECRET=${secret}`);
