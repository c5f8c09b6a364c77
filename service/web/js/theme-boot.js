// Sets the theme before anything is drawn; a plain script, since modules run too late for that.
(() => {
  let chosen = null;
  try {
    chosen = localStorage.getItem("banyan.theme");
  } catch {
    // Storage can be forbidden; the system's theme is used then.
  }
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const set = (theme) => document.documentElement.setAttribute("data-theme", theme);
  set(chosen ?? (dark.matches ? "dark" : "light"));
  dark.addEventListener("change", () => {
    if (chosen === null) set(dark.matches ? "dark" : "light");
  });
})();
