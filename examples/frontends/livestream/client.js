/** The livestream product's client, in Node: a stream is made, goes live by the media server's hook, is talked about, and ends. */
import { io } from "socket.io-client";

const [api = "http://localhost:8787", token, secret] = process.argv.slice(2);
const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };

async function call(path, init = {}) {
  const response = await fetch(`${api}${path}`, { headers, ...init });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

const stream = await call("/streams", { method: "POST", body: JSON.stringify({ title: "Evening jazz" }) });

const hook = (event) =>
  call(`/webhook/stream-event?secret=${secret}`, {
    method: "POST",
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ call: event, name: stream.streamKey, app: "live", clientid: "1", addr: "127.0.0.1" }),
  });
const status = async () => (await call(`/streams/${stream.id}`)).status;

await hook("publish");
console.log(`status: ${await status()}`);

const socket = io(api, { auth: { token } });
const heard = new Promise((resolve) => socket.on("chat_message", resolve));
socket.emit("chat_message", { streamId: stream.id, message: "Good evening" });
console.log(`heard: ${(await heard).message}`);
socket.close();

await hook("publish_done");
console.log(`status: ${await status()}`);

const { vods } = await call(`/vod?page=1&limit=10&streamId=${stream.id}&from=2026-01-01&to=`);
console.log(`recordings: ${vods.length}`);
