/** The docs page: reads openapi.json and asyncapi.json, which are made from the schemas that validate, and shows them. */
import { call } from "/api.js";
import { channel } from "/docs/channel.js";
import { endpoint, endpointWords } from "/docs/endpoint.js";
import { prose } from "/docs/prose.js";
import { webhooks } from "/docs/webhooks.js";
import { byId, h } from "/dom.js";

const content = byId("main");
const contents = byId("contents");
const search = byId("search");
const found = byId("found");

function sectionOfTag({ name, description }, api) {
  const operations = Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, operation]) => operation.tags?.includes(name))
      .map(([method, operation]) => {
        const item = endpoint(method, path, operation, api);
        item.dataset.words = endpointWords(method, path, operation);
        return item;
      }),
  );
  if (operations.length === 0) return null;
  return h(
    "section",
    { id: `tag-${name}` },
    h("h2", { class: "title" }, h("a", { class: "anchor", href: `#tag-${name}` }, name)),
    h("p", { class: "muted" }, ...prose(description)),
    ...operations,
  );
}

function show(api, events) {
  const base = new URL(api.servers[0].url, location.href).href;
  const tags = api.tags.map((tag) => sectionOfTag(tag, api)).filter(Boolean);
  const channels = Object.entries(events.channels).map(([name, about]) => channel(name, about, events));
  const told = webhooks(api);
  byId("intro").replaceChildren(
    h("p", {}, "Everything is below ", h("code", {}, base), ". ", ...prose(api.info.description)),
    h("p", { class: "muted" }, ...prose(events.info.description)),
    h(
      "p",
      {},
      h("a", { href: "/api/v1/openapi.json" }, "openapi.json"),
      " · ",
      h("a", { href: "/api/v1/asyncapi.json" }, "asyncapi.json"),
    ),
  );
  content.append(...tags, ...channels, told);
  contents.replaceChildren(
    h("h2", {}, "Calls"),
    ...tags.map(entryFor),
    h("h2", {}, "Socket events"),
    ...channels.map(entryFor),
    h("h2", {}, "Told to your backend"),
    entryFor(told),
  );
}

const entryFor = (section) =>
  h(
    "a",
    { href: `#${section.id}` },
    section.querySelector("h2").textContent.replace("/api/v1", ""),
    h("span", { class: "count" }, String(section.querySelectorAll(".item").length)),
  );

const read = (path) => call("GET", path, undefined, { token: null });

/** Shows the items that have all the words. */
function filter() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const item of content.querySelectorAll(".item")) {
    item.hidden = !words.every((word) => item.dataset.words.includes(word));
    if (!item.hidden) count += 1;
  }
  for (const part of content.querySelectorAll("section, .group")) {
    part.hidden = !part.querySelector(".item:not([hidden])");
  }
  byId("intro").hidden = words.length > 0;
  found.textContent = words.length === 0 ? "" : count === 0 ? "Nothing found" : `${count} found`;
}

/** Opens what the address points to. */
function openLinked() {
  const linked = byId(decodeURIComponent(location.hash.slice(1)));
  if (linked?.matches(".item")) linked.open = true;
  linked?.scrollIntoView();
}

/** `/` goes to the search, Escape empties it, arrows walk through the items. */
function onKey(event) {
  const isTyping = event.target.matches("input, textarea");
  if (event.key === "/" && !isTyping) {
    event.preventDefault();
    search.focus();
  } else if (event.key === "Escape" && event.target === search) {
    search.value = "";
    filter();
  } else if (
    (event.key === "ArrowDown" || event.key === "ArrowUp") &&
    (event.target === search || event.target.matches("summary"))
  ) {
    const lines = [search, ...content.querySelectorAll(".item:not([hidden]) > summary")];
    const next = lines[lines.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : -1)];
    if (!next) return;
    event.preventDefault();
    next.focus();
  }
}

search.addEventListener("input", filter);
document.addEventListener("keydown", onKey);
window.addEventListener("hashchange", openLinked);
content.addEventListener(
  "toggle",
  (event) => {
    const { id, open } = event.target;
    if (open && id) history.replaceState(null, "", `#${id}`);
  },
  true,
);

try {
  show(...(await Promise.all([read("/openapi.json"), read("/asyncapi.json")])));
  openLinked();
} catch (error) {
  byId("intro").textContent = `The docs could not be loaded. ${error.message}`;
}
