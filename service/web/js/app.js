/** Which page this is: the path decides. */

import { comparePage } from "./compare-page.js";
import { el, empty } from "./dom.js";
import { homePage } from "./home-page.js";
import { referencePage } from "./reference-page.js";
import { shortcuts } from "./shortcuts.js";
import { SolvePage } from "./solve-page.js";
import { themeButton } from "./theme.js";
import { forgetKey, hasKey } from "./auth.js";

const main = document.getElementById("main");
const { pathname, search } = window.location;
const solve = pathname.match(/^\/solves\/([^/]+)\/?$/);

document.getElementById("tools").append(...[
  hasKey() ? el("button", { class: "button quiet", type: "button", text: "Forget key", on: { click: () => {
    forgetKey();
    window.location.assign("/");
  } } }) : null, shortcuts(), themeButton()].filter(Boolean));
document.querySelector(`.bar-nav a[href="${pathname}"]`)?.setAttribute("aria-current", "page");

if (solve) new SolvePage(main, decodeURIComponent(solve[1])).run();
else if (pathname === "/compare") comparePage(main, new URLSearchParams(search));
else if (pathname === "/docs") referencePage(main);
else if (pathname === "/") homePage(main);
else main.replaceChildren(empty("There is no such page."));
