/** All that is kept of oneself, as a file. */
import { readFile } from "/api.js";
import { h } from "/dom.js";
import { notify, notifyFailure } from "/ui/notice.js";
import { section, workButton } from "./section.js";

/** Long enough for the browser to have begun with the file. */
const KEPT_MS = 60_000;

function save(file) {
  const href = URL.createObjectURL(file);
  h("a", { href, download: "account.json" }).click();
  setTimeout(() => URL.revokeObjectURL(href), KEPT_MS);
}

export function exportSection() {
  const button = workButton("Download my data", "", async () => {
    notify("Your data is being gathered.");
    await readFile("/auth/me/export").then(save, notifyFailure);
  });
  const about =
    "All that is kept of you, as one JSON file: the account, what you wrote, and links to your files. Once a day.";
  return section("Your data", about, button);
}
