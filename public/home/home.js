/** The try-it panel: two people on one page, each with an event socket of their own. */
import { makeGuest } from "/account.js";
import { call } from "/api.js";
import { byId, h } from "/dom.js";
import { DEMO, DEMO_PASSWORD, isLocal } from "/ui/sign-in.js";
import { Person } from "./person.js";

const FRAMES_SHOWN = 200;

const start = byId("demo-start");
const frames = byId("frames");
// What scrolls can be scrolled by keyboard.
frames.tabIndex = 0;
let frameCount = 0;

function showFrame(who, direction, text) {
  frameCount += 1;
  byId("frame-count").textContent = String(frameCount);
  const arrow = direction === "in" ? "→" : "←";
  frames.append(h("li", {}, `${who.padEnd(7)} `, h("span", { class: direction }, arrow), ` ${text}`));
  if (frames.children.length > FRAMES_SHOWN) frames.firstChild.remove();
  frames.scrollTop = frames.scrollHeight;
}

/** The accounts of `npm start`; elsewhere, two fresh ones. */
const enter = (username) =>
  isLocal ? call("POST", "/auth/login", { username, password: DEMO_PASSWORD }, { token: null }) : makeGuest();

const people = DEMO.map((name) => new Person(name, showFrame));
byId("panes").append(...people.map(({ node }) => node));

start.addEventListener("click", async () => {
  start.disabled = true;
  byId("demo-problem").textContent = "";
  const [one, two] = people;
  try {
    await Promise.all(people.map(async (person) => person.connect(await enter(person.name))));
    one.meet(two);
    two.meet(one);
    start.hidden = true;
    one.input.focus();
  } catch (error) {
    for (const person of people) person.close();
    byId("demo-problem").textContent =
      error.code === "UNAUTHORIZED"
        ? "The demo accounts exist where the service was started with npm start."
        : error.message;
    start.disabled = false;
  }
});
