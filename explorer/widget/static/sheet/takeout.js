// @ts-check
// Rows out of the page: one line that asks for a name, and says what was done.
import { button, count, fill, h, wire } from "../dom.js";
import { text_view } from "../shown.js";

const WAYS = {
  csv: { label: "CSV", does: "Write", ending: ".csv", name: "rows" },
  parquet: { label: "Parquet", does: "Write", ending: ".parquet", name: "rows" },
  hand_over: { label: "DataFrame", does: "Hand to the notebook", ending: "", name: "df" },
};

export class Takeout {
  /** @param {(what: string, more: Record<string, any>) => void} send */
  constructor(send) {
    this.send = send;
    this.found = this.total = 0;
    /** @type {string | null} */ this.way = null;
    /** @type {Record<string, string>} */ this.names = {};
    this.everything = this.safe = false;
    this.said = h("div", { class: "ge-said", role: "status", hidden: true });
    this.form = h("form", { class: "ge-takeout", hidden: true, onsubmit: (/** @type {Event} */ event) => { event.preventDefault(); this.ask(false); } });
    this.buttons = Object.entries(WAYS).map(([way, { label }]) => button(label, () => this.choose(way), { class: "ge-quiet", "aria-expanded": "false", data: { way } }));
    this.element = h("div", { class: "ge-takeouts" }, this.form, this.said);
  }

  /** @param {string | null} way */
  choose(way) {
    this.way = this.way === way ? null : way;
    this.say(null);
    this.draw();
    this.form.querySelector("input")?.select();
  }

  /** Nothing is to be taken out after all. */
  fold() {
    const asked = this.buttons.find((one) => one.dataset.way === this.way);
    this.choose(null);
    asked?.focus();
  }

  /** How many rows there are to take. @param {number} found @param {number} total */
  count(found, total) {
    if (found === this.found && total === this.total) return;
    this.found = found;
    this.total = total;
    if (this.way) this.draw();
  }

  draw() {
    for (const each of this.buttons) each.setAttribute("aria-expanded", String(each.dataset.way === this.way));
    this.form.hidden = !this.way;
    if (!this.way) { fill(this.form); return; }
    const { does, ending, name } = Reflect.get(WAYS, this.way);
    const some = this.found !== this.total;
    const which = (/** @type {boolean} */ everything, /** @type {string} */ words) => h("label", {},
      h("input", { type: "radio", class: "ge-check", name: "which", checked: this.everything === everything, onchange: () => { this.everything = everything; } }), words);
    const safe = h("label", { title: "An apostrophe goes before text that begins with = + - @, a tab or a line's end, which a spreadsheet would take for a formula" },
      h("input", { type: "checkbox", class: "ge-check", checked: this.safe, onchange: (/** @type {any} */ event) => { this.safe = event.target.checked; } }), "safe for spreadsheets");
    fill(this.form,
      h("span", { class: "ge-named" }, h("input", { class: "ge-input ge-wire", type: "text", maxlength: 120, value: this.names[this.way] ?? name, "aria-label": ending ? "name of the file" : "name in the notebook",
        oninput: (/** @type {any} */ event) => { this.names[/** @type {string} */ (this.way)] = event.target.value; } }), ending && wire(ending, { class: "ge-faint" })),
      some && which(false, `the ${count(this.found)} shown`), some && which(true, `all ${count(this.total)}`), this.way === "csv" && safe,
      h("button", { type: "submit", class: "ge-button" }, does), button("Cancel", () => this.fold(), { class: "ge-quiet" }));
  }

  /** @param {boolean} replace */
  ask(replace) {
    if (!this.way) return;
    const name = this.form.querySelector("input").value;
    const some = this.found !== this.total && this.everything;
    this.say(null);
    this.send(this.way === "hand_over" ? "hand_over" : "write", { kind: this.way, name, everything: some, safe: this.safe, replace });
  }

  /** @param {{ sentence: string, code?: string, replace?: boolean } | null} told */
  say(told) {
    this.said.hidden = !told;
    this.said.classList.toggle("ge-problem", Boolean(told) && told?.code === undefined);
    const lines = told?.code?.includes("\n");
    fill(this.said, told?.sentence, told?.code && h("span", { class: "ge-faint" }, " In Python: ", !lines && wire(told.code)), lines && text_view(told?.code ?? "", "the same in Python"), told?.replace && button("Replace it", () => this.ask(true), { class: "ge-quiet" }));
  }

  /** @param {any} told */
  done(told) {
    this.way = null;
    this.draw();
    this.say(told);
  }
}
