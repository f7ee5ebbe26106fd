/** The learning product's client: course chat and a call over Socket.IO, files over REST. `io` is the stock client's own. */
const query = new URLSearchParams(location.search);
const [api, peer, token] = ["api", "peer", "token"].map((name) => query.get(name));
const $ = (id) => document.getElementById(id);
const courseId = "course-id";
const sessionId = "session-id";

const socket = io(api, { auth: { token } });

// ── Chat ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

socket.emit("chat:join_room", { courseId });
socket.on("chat:new_message", ({ id, userName, message }) => {
  const item = document.createElement("li");
  item.dataset.id = id;
  item.textContent = `${userName}: ${message}`;
  $("messages").append(item);
});
socket.on("chat:user_typing", ({ userName, isTyping }) => {
  $("typing").textContent = isTyping ? `${userName} is typing...` : "";
});
$("say").oninput = () => socket.emit("chat:typing_start", { courseId });
$("say").onsubmit = (event) => {
  event.preventDefault();
  const { message } = event.target.elements;
  socket.emit("chat:send_message", { course_id: courseId, message: message.value, message_type: "text" });
  socket.emit("chat:typing_stop", { courseId });
  message.value = "";
};

// ── Call ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

const connection = new RTCPeerConnection();
const early = [];
connection.onicecandidate = ({ candidate }) => {
  if (candidate) socket.emit("webrtc:ice_candidate", { sessionId, targetUserId: peer, candidate });
};
connection.onconnectionstatechange = () => {
  $("state").textContent = connection.connectionState;
};
connection.ondatachannel = ({ channel }) => {
  channel.onmessage = ({ data }) => {
    $("state").textContent = data;
  };
};

socket.emit("webrtc:join_session", { sessionId, displayName: query.get("user"), role: "student" });
socket.on("webrtc:offer_received", async ({ offer }) => {
  await connection.setRemoteDescription(offer);
  const answer = await connection.createAnswer();
  await connection.setLocalDescription(answer);
  socket.emit("webrtc:answer", { sessionId, targetUserId: peer, answer });
  await addEarly();
});
socket.on("webrtc:answer_received", async ({ answer }) => {
  await connection.setRemoteDescription(answer);
  await addEarly();
});
socket.on("webrtc:ice_candidate_received", async ({ candidate }) => {
  early.push(candidate);
  if (connection.remoteDescription) await addEarly();
});
async function addEarly() {
  for (const candidate of early.splice(0)) await connection.addIceCandidate(candidate);
}
$("call").onclick = async () => {
  const channel = connection.createDataChannel("greeting");
  channel.onopen = () => channel.send("hello from your peer");
  const offer = await connection.createOffer();
  await connection.setLocalDescription(offer);
  socket.emit("webrtc:offer", { sessionId, targetUserId: peer, offer });
};

// ── Files ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

$("upload").onchange = async () => {
  const form = new FormData();
  form.append("file", $("upload").elements.file.files[0]);
  form.append("folder", "lesson-materials");
  const response = await fetch(`${api}/api/v1/files/upload`, {
    method: "POST",
    headers: { Authorization: `Bearer ${token}` },
    body: form,
  });
  const { data } = await response.json();
  const link = document.createElement("a");
  link.href = `${api}/api/v1/files/download/${data.folder}/${data.name}`;
  link.download = "";
  link.textContent = data.name;
  const isImage = data.mimeType.startsWith("image/");
  const view = document.createElement(isImage ? "img" : "iframe");
  view.src = `${api}/api/v1/files/view/${data.folder}/${data.name}`;
  view.title = data.name;
  $("files").append(link, document.createElement("br"), view);
};
