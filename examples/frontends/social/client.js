/** The short-video app's client, in Node 22 or newer: two people, one of whom the existing backend signed in. */
const [api = "http://localhost:8787", backendToken] = process.argv.slice(2);

async function call(path, { method = "GET", token, body } = {}) {
  const response = await fetch(`${api}/api/v1${path}`, {
    method,
    headers: {
      ...(token ? { Authorization: `Bearer ${token}` } : {}),
      ...(body ? { "Content-Type": "application/json" } : {}),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

/** The app's socket: it knows its token and nothing else. Resolves with the first event of this type. */
function listen(token) {
  const socket = new WebSocket(`${api.replace("http", "ws")}/api/v1/ws?token=${token}`);
  const events = [];
  const waiting = [];
  socket.onmessage = ({ data }) => {
    const event = JSON.parse(data);
    if (event.type === "ping") return socket.send(JSON.stringify({ type: "pong" }));
    events.push(event);
    for (const check of [...waiting]) check();
  };
  return {
    close: () =>
      new Promise((resolve) => {
        socket.onclose = resolve;
        socket.close();
      }),
    send: (type, data) => socket.send(JSON.stringify({ type, data })),
    next: (type) =>
      new Promise((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`${type} never came`)), 10_000);
        const check = () => {
          const at = events.findIndex((event) => event.type === type);
          if (at < 0) return;
          clearTimeout(late);
          waiting.splice(waiting.indexOf(check), 1);
          resolve(events.splice(at, 1)[0].data);
        };
        waiting.push(check);
        check();
      }),
  };
}

const name = `mai_${Date.now()}`;
const account = { username: name, email: `${name}@example.com`, password: "correct horse" };
const { token: mai } = await call("/auth/register", {
  method: "POST",
  body: { ...account, display_name: "Mai", img_url: "/avatars/mai.png" },
});
const me = await call("/auth/me", { token: mai });
const lan = await call("/auth/me", { token: backendToken });
console.log(`${me.displayName} with ${me.avatarUrl}; the backend's user is ${lan.username}`);

const write = (content) => call("/messages", { method: "POST", token: mai, body: { receiver_id: lan.id, content } });
const socket = listen(backendToken);
await write("hello");
const message = await socket.next("message:new");
console.log(`received: ${message.content}`);

const sender = listen(mai);
socket.send("message:mark_seen", { message_ids: [message.id] });
console.log(`seen: ${(await sender.next("message:seen")).messageIds.length} message`);

await socket.close();
await write("while you were away");
const back = listen(backendToken);
console.log(`queued: ${(await back.next("message:new")).content}`);

await Promise.all([sender.close(), back.close()]);
