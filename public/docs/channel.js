/** One socket: its address, and the frames that go each way. */

import { fieldsAndExample, foldOut } from "/docs/item.js";
import { prose } from "/docs/prose.js";
import { fieldTable, resolve } from "/docs/schema.js";
import { h } from "/dom.js";

const DIRECTIONS = {
  send: { title: "Server → client", badge: "receive", kind: "good" },
  receive: { title: "Client → server", badge: "send", kind: "info" },
};

/** The frames of a channel that go this way. */
export const messagesOf = (document, name, action) =>
  (document.operations[`${action}_${name}`]?.messages ?? []).map((message) => resolve(message, document));

export function channel(name, { address, description }, document) {
  return h(
    "section",
    { id: `channel-${name}` },
    h("h2", { class: "title" }, h("a", { class: "anchor", href: `#channel-${name}` }, address)),
    h("p", { class: "muted" }, description),
    ...Object.keys(DIRECTIONS).map((action) =>
      h(
        "div",
        { class: "group" },
        h("h3", { class: "direction" }, DIRECTIONS[action].title),
        ...messagesOf(document, name, action).map((message) => frame(name, action, message, document)),
      ),
    ),
  );
}

function frame(channelName, action, { name, summary = "", payload, ...message }, document) {
  const { badge, kind } = DIRECTIONS[action];
  const ack = message["x-ack"];
  const item = foldOut(
    `${action}-${channelName}-${name}`,
    [
      h("span", { class: `badge verb ${kind}`, title: "What a client does" }, badge),
      h("code", { class: "path" }, name),
      h("span", { class: "what" }, summary),
    ],
    () => [
      summary ? h("p", {}, ...prose(summary)) : null,
      ...fieldsAndExample(payload, document),
      ...(ack ? [h("h3", {}, "Its ack carries"), fieldTable(ack, document)] : []),
    ],
  );
  item.dataset.words = `${name} ${summary}`.toLowerCase();
  return item;
}
