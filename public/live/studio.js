/** What a stream's owner does: makes it, gets its key, sets up the encoder, ends it. */
import { call } from "/api.js";
import { h } from "/dom.js";
import { copyRow } from "/ui/copy.js";
import { confirmed, openDialog, openForm } from "/ui/dialog.js";
import { field } from "/ui/form.js";
import { mediaHost, rememberMediaHost } from "./media-server.js";

export function createStream() {
  openForm(
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
    field("Title", { name: "title", required: true, maxlength: 255 }),
    field(
      "Description",
      { name: "description", rows: 3, maxlength: 5000, placeholder: "Optional" },
      { as: "textarea" },
    ),
    field(
      "Planned start",
      { name: "scheduledAt", type: "datetime-local" },
      { hint: "Optional. The stream is listed as upcoming until its video arrives." },
    ),
  );
}

/** Shows a key, the only time that it can be seen. */
export function showKey({ streamKey }) {
  const server = copyRow("OBS: server", "");
  const key = copyRow("OBS: stream key", streamKey);
  const ffmpeg = copyRow("ffmpeg", "");
  const write = (typed) => {
    rememberMediaHost(typed);
    const url = `rtmp://${mediaHost()}/live`;
    server.line.textContent = url;
    ffmpeg.line.textContent = `ffmpeg -re -i video.mp4 -c:v libx264 -c:a aac -f flv ${url}/${streamKey}`;
  };
  const host = { value: mediaHost(), spellcheck: "false", autocapitalize: "none" };
  write(host.value);
  const dialog = openDialog(
    "Your stream key",
    { kind: "wide" },
    h(
      "div",
      { class: "form" },
      h(
        "p",
        {},
        "Whoever has this key broadcasts as you. It is shown now and never again; a lost one is replaced by a new one.",
      ),
      key.node,
      server.node,
      ffmpeg.node,
      field(
        "Media server",
        { ...host, oninput: ({ target }) => write(target.value) },
        {
          hint: "The video goes to your own media server, not to Roomcast; examples/media-server sets one up.",
        },
      ),
      h(
        "div",
        { class: "buttons end" },
        h("button", { class: "primary", type: "button", onclick: () => dialog.close() }, "I have saved it"),
      ),
    ),
  );
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
