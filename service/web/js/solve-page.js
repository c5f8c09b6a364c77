/** The page of one solve: follows its events, and draws at most once a frame. */

import { api } from "./api.js";
import { AnswerView } from "./answer-view.js";
import { announce, el, empty, problemBox } from "./dom.js";
import { follow } from "./follow.js";
import { words } from "./format.js";
import { NodeView } from "./node-view.js";
import { askResume } from "./resume-dialog.js";
import { RunHead } from "./run-head.js";
import { Side } from "./side.js";
import { SourceView } from "./source-view.js";
import { FINAL, TreeModel } from "./tree-model.js";
import { TreePanel } from "./tree-panel.js";

const TICK_MS = 200;

export class SolvePage {
  constructor(main, id) {
    this.main = main;
    this.id = id;
    this.model = new TreeModel();
    this.result = null;
    this.clock = null;
    this.head = new RunHead({
      id, onCancel: () => this.#act(() => this.#cancel()), onResume: () => this.#act(() => this.#resume()),
      onTrace: () => this.#act(() => this.#trace()), onState: (state) => this.#goToState(state),
    });
    this.sources = new SourceView();
    const titleOf = (document) => this.sources.titleOf(document);
    const onCite = (span) => this.#cite(span);
    this.answer = new AnswerView({ onCite, titleOf });
    this.node = new NodeView({ load: (path, signal) => api.node(id, path, signal), onCite, titleOf,
      onSelect: (path) => this.#openNode(path, true) });
    this.tree = new TreePanel({ onOpen: (path) => this.#openNode(path), onChange: () => this.redraw() });
    this.side = new Side({
      answer: { label: "Answer", body: this.answer.element },
      node: { label: "Node", body: this.node.element },
      documents: { label: "Documents", body: this.sources.element },
    });
    this.side.onShow = (name) => {
      if (name === "documents") this.#firstDocument();
      this.redraw();
    };
    this.trouble = el("div", { hidden: true });
    main.replaceChildren(el("div", { class: "run" },
      el("div", { class: "block" }, this.head.element, this.trouble),
      el("div", { class: "run-body" }, this.tree.element, this.side.element)));
  }

  /** Follow until the solve has finished, then show its result. */
  async run() {
    this.#do(() => this.#describe());
    setInterval(() => {
      if (!FINAL.has(this.model.status)) this.redraw();
    }, TICK_MS);
    await this.#follow();
  }

  async #follow() {
    try {
      this.result = null;
      const result = await follow(this.id, {
        after: this.model.lastSeq,
        onEvents: (events) => this.#take(events),
        onState: (state) => this.head.setStream(state),
      });
      this.result = result;
      this.model.status = result.status;
      this.head.setStream("done");
      this.answer.drawResult(result);
      this.sources.setResult(result);
      announce(`The solve is ${words(result.status)}.`);
      this.redraw();
    } catch (error) {
      if (error.status === 404 && this.model.lastSeq === 0) {
        this.main.replaceChildren(empty("There is no solve with this id. It may have been deleted, or be of another key."));
      } else {
        this.#fail(error);
        if (error.code === "events_trimmed") this.#do(() => this.#withoutEvents());
      }
    }
  }

  /** The oldest events are gone, and the problem says so: the result is shown without the tree. */
  async #withoutEvents() {
    this.result = await api.solve(this.id);
    this.model.status = this.result.status;
    this.head.setStream("done");
    if (FINAL.has(this.result.status)) {
      this.answer.drawResult(this.result);
      this.sources.setResult(this.result);
    }
    this.redraw();
  }

  #take(events) {
    for (const event of events) this.model.apply(event);
    this.clock = { at: this.model.lastAt, since: performance.now() };
    this.redraw();
  }

  /** Draw at the next frame, once. */
  redraw() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.#draw();
    });
  }

  #draw() {
    const now = this.#now();
    this.head.setStatus(this.model.status);
    const hasMore = this.head.draw(this.model, now, this.result);
    if (!this.result) this.answer.drawDraft(this.model.answer);
    this.node.draw(this.model, now);
    if (this.tree.draw(this.model, now) || hasMore) this.redraw();
  }

  /** The store's clock, as far as the page knows it. */
  #now() {
    if (!this.clock) return 0;
    const waited = FINAL.has(this.model.status) ? 0 : (performance.now() - this.clock.since) / 1000;
    return this.clock.at + waited;
  }

  /** What was asked, and of which documents: the root knows. */
  async #describe() {
    const [root, meanings] = await Promise.all([api.node(this.id, "0"), api.notices()]);
    this.head.setGoal(root.goal);
    this.answer.setMeanings(meanings);
    const ids = [...new Set(root.inputs.map((span) => span.document))];
    this.sources.setDocuments(await Promise.all(ids.map((each) => api.document(each))));
    if (this.result) {
      this.answer.drawResult(this.result);
      this.sources.setResult(this.result);
    }
    if (this.side.shown === "documents") this.#firstDocument();
  }

  #firstDocument() {
    const [first] = this.sources.documents.keys();
    if (first && this.sources.isEmpty) this.sources.go({ document: first, start: 0, end: 0 });
  }

  #openNode(path, select = false) {
    if (select) this.tree.view.select(path);
    this.side.open("node");
    this.node.show(path);
  }

  #cite(span) {
    this.sources.id = span.document;
    this.side.open("documents");
    this.sources.go(span);
  }

  #goToState(state) {
    const path = this.tree.next(this.model, state);
    if (path) this.tree.view.element.focus();
  }

  async #cancel() {
    this.head.cancel.disabled = true;
    try {
      await api.cancel(this.id);
      announce("The solve was cancelled.");
    } finally {
      this.head.cancel.disabled = false;
    }
  }

  async #resume() {
    const request = await askResume();
    if (!request) return;
    await api.resume(this.id, request);
    announce("The solve goes on.");
    this.#follow();
  }

  async #trace() {
    const url = URL.createObjectURL(await api.trace(this.id));
    el("a", { href: url, download: `${this.id}.trace.json` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }

  /** What a person asked for: what went wrong before is no longer shown. */
  #act(action) {
    this.trouble.hidden = true;
    return this.#do(action);
  }

  async #do(action) {
    try {
      await action();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error) {
    this.trouble.hidden = false;
    this.trouble.replaceChildren(problemBox(error));
  }
}
