// @ts-check
// A table of any length: the kernel has it, the page has a window of rows, and asks for another. It keeps nothing beyond that.
import { button, count, fill, h, own_keys } from "./dom.js";
import { Conditions } from "./sheet/conditions.js";
import { Grid } from "./sheet/grid.js";
import { Takeout } from "./sheet/takeout.js";
import { text_view } from "./shown.js";

const PATIENCE = 250; // milliseconds after the last key, until what is typed is looked for

class Sheet {
  /** @param {any} model @param {HTMLElement} el */
  constructor(model, el) {
    this.model = model;
    this.el = el;
    this.open = false;
    this.number = 0;
    this.first = 0;
    this.aside = 0;
    /** @type {any[]} */ this.sort = [];
    /** @type {any} */ this.table = null;
    /** @type {any} */ this.window = null;
    this.rows = "";
    /** @type {any} */ this.timer = null;
    /** @type {any} */ this.slow = null;
    this.grid = new Grid({ sort: (by) => this.sort_by(by), unfold: (row, column) => this.unfold(row, column) });
    this.conditions = new Conditions(() => this.soon());
    this.takeout = new Takeout((what, more) => this.send(what, more));
    this.coder = button("Code", () => this.show_code(this.text.hidden), { class: "ge-quiet", "aria-expanded": "false", title: "These rows in pandas" });
    this.text = h("div", { hidden: true });
    this.chart = h("div", { class: "ge-latencies", hidden: true });
    this.charter = button("Latencies", () => this.draw_latencies(), { class: "ge-quiet", "aria-expanded": "false", title: "How long calls took, by status" });
    this.search = h("input", { class: "ge-input ge-search-rows", type: "search", placeholder: "search the text …", maxlength: 1000, "aria-label": "search the text of all rows", oninput: () => this.soon() });
    this.head = h("div", { class: "ge-title-row ge-sheet-head" });
    this.tools = h("div", { class: "ge-tools" }, this.search, this.conditions.adder, h("span", { class: "ge-out" }, this.charter, this.coder, ...this.takeout.buttons));
    this.problem = h("p", { class: "ge-problem", role: "alert", hidden: true });
    this.bar = h("div", { class: "ge-bar", role: "progressbar", "aria-label": "looking", hidden: true });
    this.foot = h("div", { class: "ge-pages", role: "status" });
    fill(el, this.head, this.tools, this.conditions.element, this.text, this.takeout.element, this.problem, this.chart, this.bar, this.grid.element, this.foot);
    el.hidden = true;
  }

  /** @param {boolean} open whether it is to be seen @param {boolean} [asks] whether the kernel is to be asked for something to show */
  toggle(open, asks = true) {
    if (open === this.open) return;
    this.open = open;
    this.el.hidden = !open;
    if (open && asks) this.begin("open");
    if (!open) { clearTimeout(this.timer); this.send("close"); }
  }

  /** A table that was not shown before. @param {string} [command] */
  begin(command) {
    Object.assign(this, { sort: [], first: 0, aside: 0, table: null, window: null });
    this.search.value = "";
    this.conditions.asked = [];
    this.grid.begin([]);
    this.takeout.choose(null);
    this.fold_latencies();
    this.show_code(false);
    fill(this.foot);
    this.say("");
    this.draw_head();
    if (command) this.send(command);
  }

  /** @param {string} what @param {Record<string, any>} [more] */
  send(what, more = {}) { this.model.send({ command: "table", do: what, ...more }); }

  /** @param {any} content */
  hear(content) {
    if (content.kind === "opened") this.opened();
    if (content.kind === "table") this.told(content);
    if (content.kind === "window") this.drawn(content);
    if (content.kind === "stale" && this.open) this.look();
    if (content.kind === "problem") this.failed(content);
    if (content.kind === "done") { this.show_code(false); this.takeout.done(content); }
    if (content.kind === "latencies") this.latencies(content);
    if (content.kind === "cell") this.grid.unfold(content);
  }

  opened() {
    this.begin();
    if (!this.open) {
      this.toggle(true, false);
      this.el.dispatchEvent(new CustomEvent("ge-table", { bubbles: true, detail: { open: true } }));
    }
  }

  /** @param {any} table */
  told(table) {
    const names = (/** @type {any} */ one) => JSON.stringify(one?.columns.map((/** @type {any} */ column) => [column.name, column.kind]));
    const grown = this.table && names({ columns: table.columns.slice(0, this.table.columns.length) }) === names(this.table);
    this.table = table;
    this.number = 0; // what this view asked of the table before is no measure of what comes of this one
    if (!grown) this.sort = [];
    this.grid.begin(table.columns);
    this.conditions.begin(table.columns, Boolean(grown));
    this.draw_head();
  }

  /** @param {any} window */
  drawn(window) {
    if (window.number < this.number || !this.table) return; // something else was asked for since
    this.calm();
    this.say("");
    this.window = window;
    this.first = window.first;
    this.takeout.count(window.found, window.total);
    this.grid.draw(window, this.sort);
    this.draw_foot();
    if (!this.text.hidden) this.draw_code();
    const rows = JSON.stringify([window.found, window.total, this.search.value, this.conditions.asked]);
    if (rows !== this.rows && !this.chart.hidden) this.ask_latencies();
    this.rows = rows;
  }

  // What is asked for

  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => { this.first = 0; this.look(); }, PATIENCE);
  }

  look() {
    clearTimeout(this.timer);
    clearTimeout(this.slow);
    this.number += 1;
    this.slow = setTimeout(() => { this.bar.hidden = false; }, 300);
    this.send("look", { number: this.number, search: this.search.value, conditions: this.conditions.asked, sort: this.sort, first: this.first, aside: this.aside });
  }

  calm() {
    clearTimeout(this.slow);
    this.bar.hidden = true;
  }

  /** @param {any[]} by */
  sort_by(by) {
    this.sort = this.grid.sort = by;
    this.grid.draw_head();
    this.first = 0;
    this.look();
  }

  /** @param {number} first @param {number} [aside] */
  turn(first, aside = this.aside) {
    this.first = first;
    this.aside = aside;
    this.look();
  }

  /** @param {number} row @param {number} column */
  unfold(row, column) {
    const { opened } = this.grid;
    if (opened?.row === row && opened.column === column) this.grid.unfold(null);
    else this.send("cell", { row, column });
  }

  // The same in pandas

  /** @param {boolean} shown */
  show_code(shown) {
    this.text.hidden = !shown;
    this.coder.setAttribute("aria-expanded", String(shown));
    if (shown) this.draw_code(); else fill(this.text);
  }

  draw_code() {
    const { code } = this.window ?? { code: "" };
    if (this.text.querySelector("pre")?.textContent !== code) fill(this.text, text_view(code, "these rows in pandas"));
  }

  // How long calls took

  draw_latencies() {
    if (!this.chart.hidden) { this.fold_latencies(); return; }
    this.charter.setAttribute("aria-expanded", "true");
    this.chart.hidden = false;
    fill(this.chart, h("p", { class: "ge-faint" }, "Drawing …"));
    this.ask_latencies();
  }

  /** A picture as wide as the pane: one that is shrunk to it has letters that nobody can read. */
  ask_latencies() { this.send("latencies", { width: Math.round(this.chart.clientWidth) }); }

  fold_latencies() {
    this.chart.hidden = true;
    fill(this.chart);
    this.charter.setAttribute("aria-expanded", "false");
  }

  /** Two pictures, of which the page's own light shows one. @param {{ light: string, dark: string, words: string }} told */
  latencies({ light, dark, words }) {
    if (this.chart.hidden) return;
    const picture = (/** @type {string} */ src, /** @type {string} */ kind) => h("img", { src, alt: words, class: `ge-picture ${kind}` });
    fill(this.chart, picture(light, "ge-by-day"), picture(dark, "ge-by-night"));
  }

  // What is drawn

  /** @param {{ sentence: string, replace: boolean }} told */
  failed(told) {
    this.calm();
    if (this.takeout.way) this.takeout.say(told);
    else this.say(told.sentence);
    if (!this.chart.querySelector("img")) this.fold_latencies();
  }

  /** @param {string} sentence */
  say(sentence) {
    this.problem.textContent = sentence;
    this.problem.hidden = !sentence;
  }

  /** Escape takes back the nearest thing: what was typed here, the line that asks for a name, and only then the table. @param {KeyboardEvent} event */
  step_back(event) {
    const field = /** @type {any} */ (event.target);
    event.preventDefault(); // a field for searches would empty itself besides
    if (this.takeout.form.contains(field)) this.takeout.fold();
    else if (field.matches("input") && field.value) {
      field.value = "";
      field.dispatchEvent(new Event("input"));
    } else if (!this.model.get("alone")) this.close();
  }

  close() { this.el.dispatchEvent(new CustomEvent("ge-table", { bubbles: true, detail: { open: false } })); }

  draw_head() {
    const { table } = this;
    const size = table && `${count(table.total)} row${table.total === 1 ? "" : "s"} × ${count(table.width)} column${table.width === 1 ? "" : "s"}`;
    fill(this.head, h("h4", {}, table?.title || "Rows"), h("span", { class: "ge-soft" }, size ?? "reading …"),
      !this.model.get("alone") && button("✕", () => this.close(), { class: "ge-quiet ge-shut-sheet", "aria-label": "Close the table" }));
    this.tools.hidden = !table;
    this.charter.hidden = !table?.latencies;
  }

  draw_foot() {
    const { first, rows, found, total, aside } = this.window;
    const size = this.table.window;
    const last = Math.max(0, Math.floor((found - 1) / size) * size);
    const there = found ? `${count(first + 1)}–${count(first + rows.length)} of ${count(found)}` : "nothing";
    const words = found === total ? (total ? `rows ${there}` : "no rows") : `${there} found, in ${count(total)} row${total === 1 ? "" : "s"}`;
    const step = (/** @type {string} */ label, /** @type {string} */ name, /** @type {number} */ to, /** @type {boolean} */ off) =>
      button(label, () => { this.turn(to); }, { class: "ge-quiet ge-step", "aria-label": name, title: name, disabled: off });
    const focused = this.foot.contains(document.activeElement) ? document.activeElement?.getAttribute("aria-label") : null;
    fill(this.foot, h("span", { class: "ge-soft" }, words), this.columns_foot(aside), h("span", { class: "ge-steps" },
      step("⇤", "first rows", 0, first === 0), step("‹", "earlier rows", Math.max(0, first - size), first === 0),
      step("›", "later rows", first + size, first >= last), step("⇥", "last rows", last, first >= last)));
    this.foot.hidden = false;
    if (focused) /** @type {any} */ (this.foot.querySelector(`[aria-label="${focused}"]:not(:disabled)`) ?? this.grid.element).focus();
  }

  /** Where there are more columns than are drawn. @param {number} aside */
  columns_foot(aside) {
    const drawn = this.window.rows[0]?.length ?? 0;
    const { width, columns } = this.table;
    if (!drawn || (!aside && drawn >= width)) return null;
    const step = (/** @type {string} */ label, /** @type {string} */ name, /** @type {number} */ to, /** @type {boolean} */ off) =>
      button(label, () => { this.turn(this.first, to); }, { class: "ge-quiet ge-step", "aria-label": name, title: name, disabled: off });
    return h("span", { class: "ge-soft ge-columns-foot" }, `columns ${count(aside + 1)}–${count(aside + drawn)} of ${count(width)} `,
      step("‹", "earlier columns", Math.max(0, aside - this.table.columns_window), aside === 0), step("›", "later columns", aside + drawn, aside + drawn >= columns.length));
  }
}

/** @param {{ model: any, el: HTMLElement }} context */
function render({ model, el }) {
  own_keys(el);
  const sheet = new Sheet(model, el);
  const hear = (/** @type {any} */ content) => sheet.hear(content);
  const toggled = (/** @type {any} */ event) => { if (event.target.closest?.(".ge-frame")?.contains(el)) sheet.toggle(event.detail.open); };
  el.addEventListener("keydown", (event) => { if (event.key === "Escape") sheet.step_back(event); });
  document.addEventListener("ge-table", toggled);
  model.on("msg:custom", hear);
  if (model.get("alone")) sheet.toggle(true);
  return () => { clearTimeout(sheet.timer); clearTimeout(sheet.slow); document.removeEventListener("ge-table", toggled); model.off("msg:custom", hear); };
}

export default { render };
