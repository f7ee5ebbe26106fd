/** What is seen: tiles, the list of participants, the controls. Text that people wrote is only ever set as text. */
import { byId as at, h } from "/dom.js";
import { icon } from "/ui/icons.js";

/** Shows one of the page's sections. */
export function show(id) {
  for (const section of document.querySelectorAll("main > section")) section.hidden = section.id !== id;
}

/** Says what went wrong in the section that is shown. */
export function problem(text) {
  const place = document.querySelector("main > section:not([hidden]) [data-problem]");
  if (place) place.textContent = text;
}

const initials = (name) =>
  name
    .split(/\s+/)
    .slice(0, 2)
    .map((word) => [...word][0] ?? "")
    .join("")
    .toUpperCase();

const STATES = {
  new: "Connecting…",
  connecting: "Connecting…",
  disconnected: "Reconnecting…",
  failed: "Reconnecting…",
};

/** The tile of a stream; made when it is first needed. */
function tileOf(key) {
  const known = document.querySelector(`[data-key="${key}"]`);
  if (known) return known;
  const tile = h(
    "div",
    { class: "tile", "data-key": key },
    h("video", { autoplay: true, playsinline: true }),
    h("div", { class: "initials", "aria-hidden": "true" }),
    h("div", { class: "waiting" }),
    h("div", { class: "label" }),
  );
  at("tiles").append(tile);
  return tile;
}

function drawTile(key, { stream, person, name, isOwn, isScreen, hasVideo, state }) {
  const tile = tileOf(key);
  const video = tile.querySelector("video");
  if (video.srcObject !== stream) video.srcObject = stream;
  video.muted = isOwn;
  tile.classList.toggle("no-video", !hasVideo);
  tile.classList.toggle("mirrored", isOwn && !isScreen);
  tile.classList.toggle("screen", isScreen);
  tile.classList.toggle("hand-raised", person.handRaised && !isScreen);
  tile.querySelector(".initials").textContent = initials(person.displayName);
  tile.querySelector(".waiting").textContent = isOwn ? "" : (STATES[state] ?? "");
  tile.querySelector(".label").replaceChildren(...(isScreen ? [icon("screen")] : marks(person)), h("span", {}, name));
}

const sign = (name, kind, about) => h("i", { class: kind, role: "img", "aria-label": about, title: about }, icon(name));
const raisedHand = () => sign("hand", "mark-hand", "hand raised");

function marks({ audioEnabled, handRaised }) {
  const muted = sign("mic-off", "mark-muted", "muted");
  return [!audioEnabled && muted, handRaised && raisedHand()].filter(Boolean);
}

/** The camera's stream comes first, the screen's last; somebody without camera and microphone has only the latter. */
function apart({ screenSharing, videoEnabled }, streams) {
  const [first = null] = streams;
  if (!screenSharing) return [first, null];
  if (streams.length > 1) return [first, streams.at(-1)];
  return videoEnabled || first?.getAudioTracks().length > 0 ? [first, null] : [null, first];
}

/** Draws everybody: `{person, isOwn, streams: [camera, screen?], state}` each. */
export function drawTiles(everybody) {
  const drawn = new Set();
  for (const { person, isOwn, streams, state } of everybody) {
    const name = isOwn ? `${person.displayName} (you)` : person.displayName;
    const [camera, screen] = apart(person, streams);
    const isShown = person.videoEnabled && (camera?.getVideoTracks().length ?? 0) > 0;
    const common = { person, isOwn, state };
    drawTile(`${person.userId}`, { ...common, stream: camera, name, isScreen: false, hasVideo: isShown });
    drawn.add(`${person.userId}`);
    if (!screen) continue;
    const screenName = isOwn ? "Your screen" : `${person.displayName}’s screen`;
    drawTile(`${person.userId}-screen`, {
      ...common,
      stream: screen,
      name: screenName,
      isScreen: true,
      hasVideo: true,
    });
    drawn.add(`${person.userId}-screen`);
  }
  for (const tile of at("tiles").children) if (!drawn.has(tile.dataset.key)) tile.remove();
  arrange();
}

/** As many columns as make the tiles' shape come nearest to 4:3. */
export function arrange() {
  const tiles = at("tiles");
  const { clientWidth: width, clientHeight: height } = tiles;
  const count = Math.max(1, tiles.children.length);
  const distance = (columns) => Math.abs(Math.log(width / columns / (height / Math.ceil(count / columns)) / (4 / 3)));
  const choices = Array.from({ length: count }, (_, index) => index + 1);
  const best = choices.reduce((a, b) => (distance(b) < distance(a) ? b : a));
  tiles.style.setProperty("--columns", best);
}

export function drawPeople(everybody) {
  at("people-list").replaceChildren(
    ...everybody.map(({ person, isOwn }) => {
      const { audioEnabled, videoEnabled, handRaised, screenSharing, displayName, role } = person;
      return h(
        "li",
        {},
        h("span", { class: "name" }, displayName, h("small", {}, isOwn ? `${role} · you` : role)),
        h(
          "span",
          { class: "marks" },
          handRaised && raisedHand(),
          screenSharing && sign("screen", "", "shares the screen"),
          audioEnabled ? sign("mic", "", "microphone on") : sign("mic-off", "mark-muted", "muted"),
          videoEnabled ? sign("camera", "", "camera on") : sign("camera-off", "", "camera off"),
        ),
      );
    }),
  );
}

/** Makes the controls: what each does when it is pressed, by its id. */
export function buildControls(presses) {
  for (const [id, onclick] of Object.entries(presses)) {
    at("controls").append(h("button", { type: "button", id, onclick, class: id === "leave" && "danger primary" }));
  }
  drawControl("leave", "leave", "Leave");
}

function drawControl(id, symbol, text) {
  const button = at(id);
  // Drawn anew only when it changes: most draws are about somebody else.
  if (button.dataset.symbol !== symbol || button.textContent !== text)
    button.replaceChildren(icon(symbol), h("span", {}, text));
  button.dataset.symbol = symbol;
  return button;
}

/** Controls say what pressing them does. */
export function drawControls({ audioEnabled, videoEnabled, screenSharing, handRaised }, isPeopleOpen, can) {
  const draw = (id, isOn, symbol, text, isOff = false) => {
    const button = drawControl(id, symbol, text);
    button.classList.toggle("on", isOn);
    button.classList.toggle("off", isOff);
  };
  draw("toggle-audio", false, audioEnabled ? "mic" : "mic-off", audioEnabled ? "Mute" : "Unmute", !audioEnabled);
  draw("toggle-video", false, videoEnabled ? "camera" : "camera-off", videoEnabled ? "Stop" : "Start", !videoEnabled);
  draw("toggle-screen", screenSharing, "screen", screenSharing ? "Unshare" : "Share");
  draw("toggle-hand", handRaised, "hand", handRaised ? "Lower" : "Raise");
  draw("toggle-people", isPeopleOpen, "people", "People");
  at("toggle-people").setAttribute("aria-expanded", String(isPeopleOpen));
  at("toggle-audio").disabled = !can.audio;
  at("toggle-video").disabled = !can.video;
  at("toggle-screen").disabled = !can.screen;
}
