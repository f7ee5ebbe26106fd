/** What a stream's owner does: makes it, gets its key, sets up the encoder, ends it. */
import { call } from "/api.js";
import { h } from "/dom.js";
import { confirmed, openDialog, openForm } from "./dialogs.js";
import { mediaHost, rememberMediaHost } from "./media-server.js";

export function createStream() {
  const { form } = openForm(
    "Create a stream",
    {
      label: "Create",
      send: async ({ title, description, scheduledAt }) => {
        const stream = await call("POST", "/streams", {
          title,
          description: description || null,
          scheduledAt: scheduledAt ? new Date(scheduledAt).toISOString() : null,
        });
        location.hash = stream.id;
        // The view of the new stream opens first, and the key lies on top of it.
        addEventListener("hashchange", () => showKey(stream), { once: true });
      },
    },
    h("label", {}, "Title", h("input", { class: "field", name: "title", required: true, maxlength: "255" })),
    h(
      "label",
      {},
      "Description",
      h("textarea", { class: "field", name: "description", rows: "3", maxlength: "5000", placeholder: "Optional" }),
    ),
    h(
      "label",
      {},
      "Planned start",
      h("input", { class: "field", name: "scheduledAt", type: "datetime-local" }),
      h("small", {}, "Optional. The stream is listed as upcoming until its video arrives."),
    ),
  );
  form.elements.title.focus();
}

/** A line of text with a button that copies it; where copying is not allowed, it is selected. */
export function copyRow(label, text) {
  const line = h("code", { tabindex: "0" }, text);
  const button = h("button", { class: "button small", type: "button", "aria-label": `Copy: ${label}` }, "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(line.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(line);
      button.textContent = "Selected";
    }
    setTimeout(() => button.replaceChildren("Copy"), 2000);
  });
  return { line, node: h("div", { class: "copy-row" }, h("span", { class: "muted" }, label), line, button) };
}

/** Shows a key, the only time that it can be seen. */
export function showKey({ streamKey }) {
  const server = copyRow("OBS: server", "");
  const key = copyRow("OBS: stream key", streamKey);
  const ffmpeg = copyRow("ffmpeg", "");
  const host = h("input", { class: "field", value: mediaHost(), spellcheck: "false", autocapitalize: "none" });
  const write = () => {
    rememberMediaHost(host.value);
    const url = `rtmp://${mediaHost()}/live`;
    server.line.textContent = url;
    ffmpeg.line.textContent = `ffmpeg -re -i video.mp4 -c:v libx264 -c:a aac -f flv ${url}/${streamKey}`;
  };
  host.addEventListener("input", write);
  write();
  const dialog = openDialog(
    "Your stream key",
    h(
      "p",
      {},
      "Whoever has this key broadcasts as you. It is shown now and never again; a lost one is replaced by a new one.",
    ),
    key.node,
    server.node,
    ffmpeg.node,
    h(
      "label",
      {},
      "Media server",
      host,
      h("small", {}, "The video goes to your own media server, not to Roomcast; examples/media-server sets one up."),
    ),
    h(
      "div",
      { class: "buttons" },
      h("button", { class: "button primary", type: "button", onclick: () => dialog.close() }, "I have saved it"),
    ),
  );
  dialog.classList.add("wide");
  key.line.focus();
}

export async function rotateKey(stream) {
  const live = stream.status === "live" ? " The broadcast that is on now ends." : "";
  const isSure = await confirmed("Make a new key?", `The old key stops working at once.${live}`, "Make a new key");
  if (isSure) showKey(await call("POST", `/streams/${stream.id}/key`));
}

/** Resolves to the ended stream, null if the owner thought again. */
export async function endStream({ id }) {
  const isSure = await confirmed("End the stream?", "The broadcaster is cut off. The chat stays.", "End the stream");
  return isSure ? call("PUT", `/streams/${id}`, { status: "ended" }) : null;
}
