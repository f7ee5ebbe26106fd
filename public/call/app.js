/** The page: sign in → get ready → call → left. The call's id stands behind the `#`, which is the invitation. */
import { accountName, becomeGuest, call, isSignedIn, me, Refusal, signIn, signOut } from "/api.js";
import { Call } from "./call.js";
import { has, openCamera, stop } from "./media.js";
import { arrange, drawButtons, drawPeople, drawTiles, problem, show } from "./view.js";

/** Set while a call is on: a reload goes straight back into it. */
const IN_CALL = "roomcast.call";
const at = (id) => document.getElementById(id);
const sessionId = () => location.hash.slice(1);

/** @type {Call | null} */
let current = null;
let camera = null;
let isPeopleOpen = matchMedia("(min-width: 1000px)").matches;

/** Runs what a press or a form started; what goes wrong is shown in words where it happened. */
const doing = (work) => async (event) => {
  event?.preventDefault();
  const section = document.querySelector("section:not([hidden])");
  problem("", section);
  try {
    await work(event);
  } catch (error) {
    if (error.code === "UNAUTHORIZED" && section.id !== "signin") return toSignIn("Please sign in again.");
    if (!(error instanceof Refusal)) console.error(error);
    problem(error.message, document.querySelector("section:not([hidden])"));
  }
};

function toSignIn(reason = "") {
  signOut();
  sessionStorage.removeItem(IN_CALL);
  show("signin");
  problem(reason);
}

async function toLobby() {
  show("lobby");
  const known = sessionId()
    ? await call("GET", `/webrtc/sessions/${encodeURIComponent(sessionId())}`).catch(() => null)
    : null;
  const isOpen = known !== null && known.endedAt === null;
  const isInvited = sessionId() !== "";
  if (isInvited && !isOpen) {
    history.replaceState(null, "", location.pathname);
    problem("That call is over or does not exist. You can start a new one.");
  }
  at("lobby-title").textContent = isOpen ? `Join ${known.title ?? "the call"}` : "Start a call";
  at("enter").textContent = isOpen ? "Join" : "Start a call";
  document.querySelector(".for-start").hidden = isOpen;
  at("who").textContent = accountName();
  at("lobby-form").displayName.value ||= sessionStorage.getItem("roomcast.displayName") ?? "";
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

async function enter({ displayName, title }) {
  await look();
  sessionStorage.setItem("roomcast.displayName", displayName);
  const [account, session] = await Promise.all([
    me(),
    sessionId()
      ? call("GET", `/webrtc/sessions/${encodeURIComponent(sessionId())}`)
      : call("POST", "/webrtc/sessions", { title: title || null, maxParticipants: 12 }),
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
  at("over-reason").textContent = reason || "The others go on without you.";
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
  drawButtons(current.own, isPeopleOpen, can);
  at("people-panel").hidden = !isPeopleOpen;
  const others = everybody.length - 1;
  const company = others > 0 ? `${others + 1} people` : "Nobody else is here yet";
  at("status").textContent = current.isOnline ? company : "Reconnecting…";
  arrange();
}

at("signin-form").onsubmit = doing(async ({ target }) => {
  await signIn(target.username.value, target.password.value);
  target.reset();
  await toLobby();
});
at("guest").onclick = doing(async () => {
  await becomeGuest();
  await toLobby();
});
at("signout").onclick = () => toSignIn();
at("lobby-form").onsubmit = doing(({ target }) =>
  enter({ displayName: target.displayName.value.trim() || accountName(), title: target.title.value.trim() }),
);
at("toggle-audio").onclick = doing(() => current?.toggleAudio());
at("toggle-video").onclick = doing(() => current?.toggleVideo());
at("toggle-screen").onclick = doing(() => current?.toggleScreen());
at("toggle-hand").onclick = doing(() => current?.toggleHand());
at("toggle-people").onclick = () => {
  isPeopleOpen = !isPeopleOpen;
  draw();
};
at("leave").onclick = doing(() => current?.leave());
at("end").onclick = doing(() => current && call("DELETE", `/webrtc/sessions/${current.session.id}`));
at("again").onclick = doing(toLobby);
at("new-call").onclick = doing(() => {
  history.replaceState(null, "", location.pathname);
  return toLobby();
});
at("copy").onclick = doing(async () => {
  await navigator.clipboard.writeText(location.href);
  const text = at("copy").querySelector("span");
  text.textContent = "Copied";
  setTimeout(() => (text.textContent = "Copy invitation"), 2000);
});
addEventListener("resize", drawSoon);
addEventListener("hashchange", () => current || location.reload());

const start = doing(async () => {
  if (!isSignedIn()) return show("signin");
  await toLobby();
  if (sessionId() && sessionStorage.getItem(IN_CALL) === sessionId()) {
    await enter({ displayName: sessionStorage.getItem("roomcast.displayName") ?? accountName() });
  }
});
show("signin");
start();
window.addEventListener("pagehide", () => stop(camera));
