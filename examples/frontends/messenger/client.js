/** The messenger's client: three kinds of message come in, three go out, and nothing is ever acknowledged. */
const query = new URLSearchParams(location.search);
const [api, room, user, token] = ["api", "room", "user", "token"].map((name) => query.get(name));
const $ = (id) => document.getElementById(id);
$("room").textContent = room;

const socket = new WebSocket(`${api}/ws/${room}/${user}?token=${token}`);
const send = (type, data) => socket.send(JSON.stringify({ type, data }));

socket.onopen = () => {
  $("status").textContent = "connected";
};
socket.onclose = ({ code, reason }) => {
  $("status").textContent = `closed: ${code} ${reason}`;
};
socket.onmessage = (event) => {
  const { type, data } = JSON.parse(event.data);
  if (type === "new_message") showMessage(data);
  if (type === "reaction") updateReaction(data);
  if (type === "typing") showTyping(data.user_id);
};

function showMessage({ id: message_id, user_id, content, file_url }) {
  const item = document.createElement("li");
  item.dataset.id = message_id;
  item.dataset.user = user_id;
  const text = document.createElement("span");
  text.textContent = content;
  item.append(text);
  if (file_url) {
    const link = document.createElement("a");
    link.href = file_url;
    link.textContent = "file";
    item.append(" ", link);
  }
  const like = document.createElement("button");
  like.textContent = "👍";
  like.title = "Like";
  like.onclick = () => send("reaction", { message_id, emoji: "👍" });
  const count = document.createElement("output");
  item.append(" ", like, count);
  $("messages").append(item);
}

function updateReaction({ message_id, count }) {
  const item = [...$("messages").children].find(({ dataset }) => dataset.id === message_id);
  if (item) item.querySelector("output").textContent = count || "";
}

let hide;
function showTyping(userId) {
  $("typing").textContent = `${userId} is typing…`;
  clearTimeout(hide);
  hide = setTimeout(() => {
    $("typing").textContent = "";
  }, 3000);
}

$("say").oninput = () => send("typing", { user_id: user });
$("say").onsubmit = (event) => {
  event.preventDefault();
  const { content } = event.target.elements;
  send("send_message", { user_id: user, room_id: room, content: content.value });
  content.value = "";
};

// ── The list of rooms: read once, live from then on ─────────────────────────────────────────────────────────────────

const inbox = new WebSocket(`${api}/api/v1/ws?token=${token}`);
inbox.onopen = async () => {
  const answer = await fetch(`${api.replace("ws", "http")}/api/v1/rooms`, {
    headers: { Authorization: `Bearer ${token}` },
  });
  const { rooms } = await answer.json();
  for (const { id, unreadCount, lastMessage } of rooms.reverse()) showRoom({ roomId: id, unreadCount, lastMessage });
};
inbox.onmessage = (event) => {
  const { type, data } = JSON.parse(event.data);
  if (type === "room:invited") showRoom({ roomId: data.roomId, unreadCount: 0, lastMessage: null });
  if (type === "room:activity") showRoom(data);
  if (type === "room:removed") roomCalled(data.roomId)?.remove();
};

const roomCalled = (id) => [...$("rooms").children].find(({ dataset }) => dataset.id === id);

/** The latest talk first. */
function showRoom({ roomId, unreadCount, lastMessage }) {
  const item = roomCalled(roomId) ?? document.createElement("li");
  item.dataset.id = roomId;
  item.textContent = `${roomId}: ${lastMessage?.content ?? ""}${unreadCount ? ` (${unreadCount})` : ""}`;
  $("rooms").prepend(item);
}
