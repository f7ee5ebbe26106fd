/** Who else signs one in: the providers of this service. */
import { call } from "/api.js";
import { h } from "/dom.js";
import { confirmed } from "/ui/dialog.js";
import { day } from "/ui/format.js";
import { notify, notifyFailure } from "/ui/notice.js";
import { goToProvider, readProviders, titleOf } from "./providers.js";
import { item, section, thingsList, workButton } from "./section.js";

export function identitiesSection() {
  const connect = h("div", { class: "buttons" });
  const list = thingsList(async () => {
    const [{ identities }, names] = await Promise.all([call("GET", "/auth/identities"), readProviders()]);
    const linked = new Set(identities.map(({ provider }) => provider));
    connect.replaceChildren(...names.filter((name) => !linked.has(name)).map(connectButton));
    return identities.map(identityItem);
  }, "Nobody else signs you in.");

  const connectButton = (name) =>
    workButton(`Connect ${titleOf(name)}`, "", () => goToProvider(name, { isLink: true }).catch(notifyFailure));

  function identityItem({ provider, email, linkedAt }) {
    const title = titleOf(provider);
    const button = workButton("Remove", "small danger", async () => {
      if (!(await confirmed(`Remove ${title}?`, `${title} signs you in no more.`, "Remove"))) return;
      try {
        await call("DELETE", `/auth/identities/${encodeURIComponent(provider)}`);
        notify(`${title} is removed.`);
        await list.load();
        node.querySelector("h2").focus();
      } catch (error) {
        notifyFailure(error);
      }
    });
    button.setAttribute("aria-label", `Remove: ${title}`);
    const facts = [email, email && linkedAt && " · ", linkedAt && "linked ", linkedAt && day(linkedAt)].filter(Boolean);
    return item([title], facts, button);
  }

  const node = section("Identities", "Accounts elsewhere that sign you in here.", list.node, connect);
  return node;
}
