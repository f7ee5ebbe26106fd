/** /account/provider: where a provider's sign-in comes back. */
import { logFault } from "/api.js";
import { h } from "/dom.js";
import { backToSignIn, showGate } from "./parts.js";
import { comeBack } from "./providers.js";

const answer = new URLSearchParams(location.search);
// A code is good once: a reload must not try it again, and no history keep it.
history.replaceState(null, "", location.pathname);

showGate("One moment…", h("p", { role: "status" }, "You are being signed in."));
comeBack(answer).then(
  (from) => location.replace(from),
  (error) => {
    logFault(error);
    showGate("That did not work", h("p", { class: "problem", role: "alert" }, error.message), backToSignIn());
  },
);
