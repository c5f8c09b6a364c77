/** Files to upload: chosen or dropped. Each is sent once, and known by the id that came back. */

import { api } from "./api.js";
import { el } from "./dom.js";
import { compact } from "./format.js";

export class FileField {
  constructor() {
    this.files = [];
    this.input = el("input", { type: "file", multiple: true, class: "visually-hidden", tabindex: "-1", id: "files", "aria-label": "Files" });
    this.input.addEventListener("change", () => {
      this.#add(this.input.files);
      this.input.value = "";
    });
    this.list = el("ul", { class: "files" });
    this.element = el("div", { class: "drop" },
      el("div", {}, el("button", { class: "button", type: "button", text: "Choose files",
        on: { click: () => this.input.click() } }), this.input,
      el("span", { class: "hint", text: "  or drop them here" })), this.list);
    this.element.addEventListener("dragover", (event) => {
      event.preventDefault();
      this.element.classList.add("over");
    });
    this.element.addEventListener("dragleave", () => this.element.classList.remove("over"));
    this.element.addEventListener("drop", (event) => {
      event.preventDefault();
      this.element.classList.remove("over");
      this.#add(event.dataTransfer.files);
    });
  }

  get count() {
    return this.files.length;
  }

  /** References to those that were uploaded, in order. */
  references() {
    return this.files.filter(({ id }) => id).map(({ id }) => ({ id }));
  }

  /** Bytes of those that were not. */
  bytesToUpload() {
    return this.files.reduce((sum, { id, file }) => sum + (id ? 0 : file.size), 0);
  }

  /** Upload those that are not there yet, one after the other. */
  async upload() {
    for (const entry of this.files) {
      if (entry.id) continue;
      entry.note.textContent = "uploading …";
      try {
        entry.id = (await api.upload(entry.file)).id;
        entry.note.textContent = "uploaded";
      } catch (error) {
        entry.note.textContent = "refused";
        error.message = `${entry.file.name}: ${error.message}`;
        throw error;
      }
    }
  }

  #add(files) {
    for (const file of files) {
      const entry = { file, id: null, note: el("span", { class: "hint", text: `${compact(file.size)} bytes` }) };
      entry.row = el("li", {}, el("span", { class: "name", text: file.name }), entry.note,
        el("button", { class: "button quiet", type: "button", text: "Remove", "aria-label": `Remove ${file.name}`,
          on: { click: () => this.#remove(entry) } }));
      this.files.push(entry);
      this.list.append(entry.row);
    }
  }

  #remove(entry) {
    this.files = this.files.filter((one) => one !== entry);
    entry.row.remove();
  }
}
