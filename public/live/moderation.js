/** What the stream's owner and moderators can do in its chat. */
import { h } from "/dom.js";
import { choose } from "/ui/dialog.js";
import { shortTime } from "/ui/format.js";

const MUTES = [
  { label: "10 minutes", value: 600 },
  { label: "1 hour", value: 3600 },
  { label: "1 day", value: 86_400 },
  { label: "Lift the mute", value: 0 },
];

/** Mutes somebody, or lets them write again. */
export async function askToMute(chat, { userId, username }, page) {
  const seconds = await choose(`Mute ${username}?`, "They can read on, but not write in this chat.", MUTES);
  if (seconds === null) return;
  if (seconds === 0) {
    await chat.moderate("chat_unmute", { userId });
    return page.say(`${username} may write again.`);
  }
  const { until } = await chat.moderate("chat_mute", { userId, seconds });
  page.say(`${username} is muted until ${shortTime(until).textContent}.`);
}

const SLOW = { 0: "off", 5: "5 s", 15: "15 s", 60: "1 min", 300: "5 min" };

/** Chooses the pause between two messages of one person. */
export function slowModeControl(chat, page) {
  const options = Object.entries(SLOW).map(([seconds, text]) => h("option", { value: seconds }, text));
  const change = () => page.doing(() => chat.moderate("chat_slow_mode", { seconds: Number(select.value) }));
  const select = h("select", { onchange: change }, ...options);
  return {
    node: h("label", { class: "slow muted" }, "Slow mode", select),
    draw() {
      const { slowSeconds } = chat;
      if (!(slowSeconds in SLOW) && !select.querySelector(`[value="${slowSeconds}"]`)) {
        select.append(h("option", { value: String(slowSeconds) }, `${slowSeconds} s`));
      }
      select.value = String(slowSeconds);
    },
  };
}
