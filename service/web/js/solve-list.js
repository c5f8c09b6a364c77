/** The list of solves, newest first; those that run are read again from time to time. */

import { api } from "./api.js";
import { dot, el, empty, loading, problemBox } from "./dom.js";
import { ago, compact, count, duration, usd, words } from "./format.js";

const PAGE = 30;
const AGAIN_MS = 3000;
const STATUSES = ["queued", "running", "completed", "partial", "failed", "cancelled"];

export class SolveList {
  constructor() {
    this.status = "";
    this.pages = 1;
    const filter = el("select", { class: "input", "aria-label": "Show solves that are" },
      el("option", { value: "", text: "All" }),
      STATUSES.map((status) => el("option", { value: status, text: words(status) })));
    filter.addEventListener("change", () => {
      this.status = filter.value;
      this.pages = 1;
      this.read();
    });
    this.body = el("div", { "aria-live": "off" }, loading("Loading solves …"));
    this.element = el("section", { class: "panel", "aria-labelledby": "solves-title" },
      el("div", { class: "panel-head" }, el("h2", { id: "solves-title", text: "Solves" }),
        el("div", {}, filter)), this.body);
  }

  /** Read now, and again while the page is looked at. */
  async start() {
    await this.read();
    setInterval(() => {
      if (!document.hidden && !this.broken) this.read();
    }, AGAIN_MS);
  }

  async read() {
    const asked = (this.asked = Symbol("read"));
    try {
      const solves = [];
      let next = null;
      for (let page = 0; page < this.pages; page += 1) {
        const reply = await api.solves({ limit: PAGE, ...(this.status ? { status: this.status } : {}),
          ...(next ? { cursor: next } : {}) });
        solves.push(...reply.solves);
        next = reply.next;
        if (!next) break;
      }
      if (this.asked !== asked) return;
      this.broken = false;
      this.#draw(solves, next);
    } catch (error) {
      if (this.asked !== asked) return;
      this.broken = true;
      this.body.replaceChildren(problemBox(error, () => this.read()));
    }
  }

  #draw(solves, next) {
    const seen = JSON.stringify([solves, next]) + Math.floor(Date.now() / 60_000);
    if (seen === this.seen) return;
    this.seen = seen;
    const focused = document.activeElement?.getAttribute?.("href");
    if (!solves.length) {
      this.body.replaceChildren(empty(this.status ? `No solve is ${words(this.status)}.`
        : "Nothing yet. What you ask stands here, with its tree and its sources."));
      return;
    }
    const rows = solves.map(row);
    this.body.replaceChildren(el("div", { class: "solves" }, rows), next ? el("div", { class: "more" },
      el("button", { class: "button", type: "button", text: "Show more", on: { click: () => {
        this.pages += 1;
        this.read();
      } } })) : "");
    rows.find((one) => focused && one.getAttribute("href") === focused)?.focus();
  }
}

function row(solve) {
  const { usage } = solve;
  const took = solve.finished_at ? duration(solve.finished_at - solve.created_at) : null;
  const facts = [ago(solve.created_at, Date.now() / 1000), took, `${count(usage.nodes)} nodes`,
    `${compact(usage.prompt_tokens + usage.completion_tokens)} tokens`,
    usage.cost_usd ? usd(usage.cost_usd) : null, solve.policy].filter(Boolean);
  return el("a", { class: "solve-row", href: `/solves/${encodeURIComponent(solve.id)}` },
    el("span", { class: "goal", text: solve.goal }),
    el("span", { class: "chip" }, dot(solve.status), words(solve.status)),
    el("span", { class: "meta num" }, facts.map((text) => el("span", { text }))));
}
