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
