/** The page: sign in → get ready → call → left. The call's id stands behind the `#`, which is the invitation. */
import { becomeGuest, readAccount } from "/account.js";
import { call, Refusal } from "/api.js";
import { byId as at } from "/dom.js";
import { currentSession, onSession } from "/session.js";
import { signInForm } from "/ui/sign-in.js";
import { Call } from "./call.js";
import { has, openCamera, stop } from "./media.js";
import { arrange, buildControls, drawControls, drawPeople, drawTiles, problem, show } from "./view.js";

/** Set while a call is on: a reload goes straight back into it. */
const IN_CALL = "roomcast.call";
const NAME = "roomcast.displayName";
const sessionId = () => location.hash.slice(1);
const read = (id) => call("GET", `/webrtc/sessions/${encodeURIComponent(id)}`);

/** @type {Call | null} */
let current = null;
let camera = null;
let isPeopleOpen = matchMedia("(min-width: 1000px)").matches;

/** Runs what a press or a form started; what goes wrong is shown in words where it happened. */
const doing = (work) => async (event) => {
  event?.preventDefault();
  problem("");
  try {
    await work(event);
  } catch (error) {
    if (!(error instanceof Refusal)) console.error(error);
    // Who is signed out meanwhile is told by the header, and asked to sign in.
    if (error.code !== "UNAUTHORIZED") problem(error.message);
  }
};

async function toLobby() {
  show("lobby");
  const known = sessionId() ? await read(sessionId()).catch(() => null) : null;
  const isOpen = known !== null && known.endedAt === null;
  if (sessionId() !== "" && !isOpen) {
    history.replaceState(null, "", location.pathname);
    problem("That call is over or does not exist. You can start a new one.");
  }
  at("lobby-title").textContent = isOpen ? `Join ${known.title ?? "the call"}` : "Start a call";
  at("enter").textContent = isOpen ? "Join" : "Start a call";
  document.querySelector(".for-start").hidden = isOpen;
  const { user, isGuest } = currentSession();
  document.querySelector(".as-guest").hidden = isGuest;
  at("lobby-form").displayName.value ||= sessionStorage.getItem(NAME) ?? user.displayName ?? user.username;
  await look();
}

/** Opens the camera, if it is not open. */
async function look() {
  if (camera?.getTracks().some(({ readyState }) => readyState === "live")) return;
  at("preview-note").textContent = "Opening the camera…";
  const opened = await openCamera();
  camera = opened.stream;
  at("preview").srcObject = has(camera, "video") ? camera : null;
  at("preview-note").textContent = opened.problem;
}

function closeCamera() {
  stop(camera);
  camera = null;
}

async function enter({ displayName, title }) {
  await look();
  sessionStorage.setItem(NAME, displayName);
  const [account, session] = await Promise.all([
    readAccount(),
    sessionId() ? read(sessionId()) : call("POST", "/webrtc/sessions", { title: title || null, maxParticipants: 12 }),
  ]);
  if (session.endedAt) throw new Refusal("NOT_FOUND", "The call has ended.");
  history.replaceState(null, "", `#${session.id}`);
  const role = session.hostId === account.id ? "host" : "guest";
  current = new Call({ session, userId: account.id, displayName, role, camera, onChange: drawSoon, onOver: over });
  // For the console, and for the tests.
  window.roomcast = current;
  await current.start();
  sessionStorage.setItem(IN_CALL, session.id);
  at("title").textContent = session.title ?? "Call";
  at("end").hidden = role !== "host";
  show("call");
  problem(at("preview-note").textContent);
  draw();
}

function over(reason) {
  current = null;
  camera = null;
  sessionStorage.removeItem(IN_CALL);
  if (!currentSession()) return;
  at("over-reason").textContent = reason || "You can come back as long as the call goes on.";
  show("over");
}

let drawing = 0;

/** Many things change at once; they are drawn together. */
function drawSoon() {
  cancelAnimationFrame(drawing);
  drawing = requestAnimationFrame(draw);
}

function draw() {
  if (!current) return;
  const everybody = current.everybody();
  drawTiles(everybody);
  drawPeople(everybody);
  const can = {
    audio: has(current.camera, "audio"),
    video: has(current.camera, "video"),
    screen: navigator.mediaDevices?.getDisplayMedia !== undefined,
  };
  drawControls(current.own, isPeopleOpen, can);
  at("people-panel").hidden = !isPeopleOpen;
  const others = everybody.length - 1;
  const company = others > 0 ? `${others + 1} people` : "Nobody else is here yet";
  at("status").textContent = current.isOnline ? company : "Reconnecting…";
  arrange();
}

buildControls({
  "toggle-audio": doing(() => current?.toggleAudio()),
  "toggle-video": doing(() => current?.toggleVideo()),
  "toggle-screen": doing(() => current?.toggleScreen()),
  "toggle-hand": doing(() => current?.toggleHand()),
  "toggle-people": () => {
    isPeopleOpen = !isPeopleOpen;
    draw();
  },
  leave: doing(() => current?.leave()),
});
at("signin").firstElementChild.append(signInForm());
at("guest").onclick = doing(becomeGuest);
at("lobby-form").onsubmit = doing(({ target }) =>
  enter({
    displayName: target.displayName.value.trim() || currentSession().user.username,
    title: target.title.value.trim(),
  }),
);
at("end").onclick = doing(() => current && call("DELETE", `/webrtc/sessions/${current.session.id}`));
at("again").onclick = doing(toLobby);
at("new-call").onclick = doing(() => {
  history.replaceState(null, "", location.pathname);
  return toLobby();
});
at("copy").onclick = doing(async () => {
  await navigator.clipboard.writeText(location.href);
  at("copy").textContent = "Copied";
  setTimeout(() => at("copy").replaceChildren("Copy link"), 2000);
});
addEventListener("resize", drawSoon);
addEventListener("hashchange", () => current || location.reload());
addEventListener("pagehide", () => stop(camera));

/** A call belongs to who entered it: whoever else is signed in begins at the lobby. */
const begin = doing(async () => {
  await current?.leave();
  at("lobby-form").reset();
  if (!currentSession()) {
    closeCamera();
    return show("signin");
  }
  await toLobby();
});
onSession(() => begin());

const start = doing(async () => {
  await begin();
  if (!currentSession() || !sessionId() || sessionStorage.getItem(IN_CALL) !== sessionId()) return;
  await enter({ displayName: sessionStorage.getItem(NAME) ?? currentSession().user.username });
});
start();
