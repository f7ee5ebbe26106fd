/** The recordings of a stream: what the browser plays is played, the rest is a download. */
import { call } from "/api.js";
import { h } from "/dom.js";
import { bytes, counted, length, time } from "/ui/format.js";
import { isPlayable } from "./stage.js";

export const readRecordings = async (streamId) => (await call("GET", `/vod?streamId=${streamId}&limit=100`)).vods;

function row(vod, play) {
  const canPlay = isPlayable(vod);
  const facts = [
    vod.duration && length(vod.duration),
    bytes(vod.size),
    counted(vod.views, "view"),
    !canPlay && "your browser cannot play this format",
  ];
  return h(
    "li",
    {},
    h(
      "div",
      {},
      h("strong", {}, vod.title),
      h("span", { class: "muted" }, time(vod.createdAt), ` · ${facts.filter(Boolean).join(" · ")}`),
    ),
    h(
      "div",
      { class: "buttons" },
      canPlay &&
        h(
          "button",
          { class: "small", type: "button", onclick: () => play(vod), "aria-label": `Play ${vod.title}` },
          "Play",
        ),
      h(
        "a",
        { class: "button small", href: vod.url, download: vod.fileName, "aria-label": `Download ${vod.title}` },
        "Download",
      ),
    ),
  );
}

export function recordingsView(play) {
  const list = h("ul", { class: "recordings" });
  const node = h("section", {}, h("h2", {}, "Recordings"), list);
  node.hidden = true;
  return {
    node,
    draw(vods) {
      node.hidden = vods.length === 0;
      list.replaceChildren(...vods.map((vod) => row(vod, play)));
    },
  };
}
