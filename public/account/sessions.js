/** Where one is signed in, and ending that elsewhere. */
import { call } from "/api.js";
import { h } from "/dom.js";
import { confirmed } from "/ui/dialog.js";
import { day } from "/ui/format.js";
import { notify, notifyFailure } from "/ui/notice.js";
import { item, section, thingsList, workButton } from "./section.js";

export function sessionsSection() {
  const list = thingsList(async () => {
    const { sessions } = await call("GET", "/auth/sessions");
    endOthers.hidden = !sessions.some(({ isCurrent }) => !isCurrent);
    return sessions.map(sessionItem);
  }, "This sign-in is kept elsewhere: by the product that signed you in.");

  /** Does it, says so, and shows what is left. */
  async function change(path, method, said) {
    try {
      await call(method, path);
      notify(said);
      await list.load();
      // The button that was pressed is gone.
      node.querySelector("h2").focus();
    } catch (error) {
      notifyFailure(error);
    }
  }

  function sessionItem({ id, device, address, createdAt, lastUsedAt, isCurrent }) {
    const name = device ?? "A program without a name";
    const end = () => change(`/auth/sessions/${encodeURIComponent(id)}`, "DELETE", "The session has ended.");
    const button = workButton("End", "small danger", end);
    button.setAttribute("aria-label", `End: ${name}`);
    return item(
      [name, isCurrent && h("span", { class: "badge info" }, "This one")].filter(Boolean),
      [address && `${address} · `, "signed in ", day(createdAt), " · last used ", day(lastUsedAt)].filter(Boolean),
      isCurrent ? "" : button,
    );
  }

  const endOthers = workButton("End all others", "danger", async () => {
    const text = "Everybody who is signed in to this account elsewhere is signed out at once.";
    if (!(await confirmed("End all other sessions?", text, "End them"))) return;
    await change("/auth/sessions/revoke-others", "POST", "All other sessions have ended.");
  });
  endOthers.hidden = true;
  const node = section("Sessions", "Where you are signed in.", list.node, endOthers);
  return { node, load: list.load };
}
