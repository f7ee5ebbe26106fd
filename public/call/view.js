/** What is seen: tiles, the list of participants, the buttons. Text that people wrote is only ever set as text. */
const at = (id) => document.getElementById(id);
const icon = (name) => {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
};
const element = (tag, className, ...children) => {
  const made = document.createElement(tag);
  made.className = className;
  made.append(...children);
  return made;
};

/** Shows one of the page's sections. */
export function show(id) {
  for (const section of document.querySelectorAll("section")) section.hidden = section.id !== id;
}

export function problem(text, section = document.querySelector("section:not([hidden])")) {
  section.querySelector(".problem").textContent = text;
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
  const video = document.createElement("video");
  Object.assign(video, { autoplay: true, playsInline: true });
  const tile = element(
    "div",
    "tile",
    video,
    element("div", "initials"),
    element("div", "waiting"),
    element("div", "label"),
  );
  tile.dataset.key = key;
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
  const text = element("span", "");
  text.textContent = name;
  tile.querySelector(".label").replaceChildren(...(isScreen ? [icon("screen")] : marks(person)), text);
}

function marks({ audioEnabled, handRaised }) {
  const muted = element("i", "mark-muted", icon("mic-off"));
  const hand = element("i", "mark-hand", icon("hand"));
  return [...(audioEnabled ? [] : [muted]), ...(handRaised ? [hand] : [])];
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
      const name = element("span", "name");
      const role = document.createElement("small");
      role.textContent = isOwn ? `${person.role} · you` : person.role;
      name.append(person.displayName, role);
      const signs = element("span", "marks");
      if (person.handRaised) signs.append(element("i", "mark-hand", icon("hand")));
      if (person.screenSharing) signs.append(icon("screen"));
      signs.append(icon(person.audioEnabled ? "mic" : "mic-off"), icon(person.videoEnabled ? "camera" : "camera-off"));
      return element("li", "", name, signs);
    }),
  );
}

/** Buttons say what pressing them does. */
export function drawButtons({ audioEnabled, videoEnabled, screenSharing, handRaised }, isPeopleOpen, can) {
  const draw = (id, isPressed, symbol, text, isOff = false) => {
    const button = at(id);
    button.setAttribute("aria-pressed", String(isPressed));
    button.classList.toggle("off", isOff);
    button.querySelector("use").setAttribute("href", `#i-${symbol}`);
    button.querySelector("span").textContent = text;
  };
  draw("toggle-audio", false, audioEnabled ? "mic" : "mic-off", audioEnabled ? "Mute" : "Unmute", !audioEnabled);
  draw("toggle-video", false, videoEnabled ? "camera" : "camera-off", videoEnabled ? "Stop" : "Start", !videoEnabled);
  draw("toggle-screen", screenSharing, "screen", screenSharing ? "Unshare" : "Share");
  draw("toggle-hand", handRaised, "hand", handRaised ? "Lower" : "Raise");
  draw("toggle-people", isPeopleOpen, "people", "People");
  at("toggle-audio").disabled = !can.audio;
  at("toggle-video").disabled = !can.video;
  at("toggle-screen").disabled = !can.screen;
}
