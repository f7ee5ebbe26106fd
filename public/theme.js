/** Light or dark: the system's choice until somebody presses `[data-theme-switch]`. Loaded in the head, so nothing flashes. */
const KEY = "roomcast.theme";
const root = document.documentElement;

const isDark = () =>
  (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";

/** Storage may be switched off. */
function remembered() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function choose(theme) {
  root.dataset.theme = theme;
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // It then holds for this page alone.
  }
}

const theme = remembered();
if (theme === "light" || theme === "dark") root.dataset.theme = theme;

document.addEventListener("click", ({ target }) => {
  if (target.closest("[data-theme-switch]")) choose(isDark() ? "light" : "dark");
});
