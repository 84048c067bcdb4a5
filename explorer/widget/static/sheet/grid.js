// @ts-check
// The rows of a window as a table: columns to sort by, cells to unfold.
import { badge, button, fill, h, wire } from "../dom.js";

/** @typedef {{ column: number, down: boolean }} Sort */

/** A number with as many digits behind the point as are read; whole numbers keep all of theirs. @param {string} digits */
function rounded(digits) {
  const number = Number(digits);
  if (digits.length < 10 || !Number.isFinite(number) || Math.abs(number) >= 1e15) return digits;
  return Math.abs(number) < 1 ? String(Number(number.toPrecision(6))) : String(Number(number.toFixed(6)));
}

/** What is drawn of a value, all of which is in its title. @param {string} cell @param {any} column */
function as_read(cell, { name, dtype, decimals }) {
  if (decimals !== undefined) return Number(cell).toFixed(decimals);
  if (name === "method") return cell.replace(/^(?:\w+\.)+(?=\w+\.\w+$)/, "…"); // a package is the least telling of its parts
  return dtype === "double" || dtype === "float" ? rounded(cell) : cell;
}

export class Grid {
  /**
   * @param {{ sort: (by: Sort[]) => void, unfold: (row: number, column: number) => void }} asks
   */
  constructor(asks) {
    this.asks = asks;
    /** @type {any[]} */ this.columns = [];
    /** @type {number[]} */ this.drawn = []; // places of columns
    /** @type {Sort[]} */ this.sort = [];
    /** @type {any} */ this.window = null;
    /** @type {any} */ this.opened = null;
    this.head = h("thead");
    this.body = h("tbody");
    this.element = h("div", { class: "ge-scroll", tabindex: 0, role: "region", "aria-label": "rows" }, h("table", { class: "ge-table ge-rows" }, this.head, this.body));
  }

  /** @param {any[]} columns */
  begin(columns) {
    this.columns = columns;
    this.drawn = [];
    this.window = this.opened = null;
    fill(this.head);
    fill(this.body);
  }

  /** @param {any} window @param {Sort[]} sort */
  draw(window, sort) {
    const turned = !this.window || this.window.first !== window.first || this.window.aside !== window.aside;
    if (this.opened && !window.places.includes(this.opened.row)) this.opened = null;
    this.window = window;
    this.sort = sort;
    this.drawn = window.columns;
    this.draw_head();
    fill(this.body, ...window.rows.flatMap((/** @type {any[]} */ row, /** @type {number} */ at) => this.row(row, window.places[at])));
    if (turned) this.element.scrollTop = 0;
  }

  draw_head() {
    const focused = this.head.contains(document.activeElement) ? /** @type {any} */ (document.activeElement).dataset.key : null;
    fill(this.head, h("tr", {}, h("th", { scope: "col", class: "ge-place" }, h("span", { class: "ge-aloud" }, "row")),
      ...this.drawn.map((at) => this.heading(this.columns[at], at))));
    if (focused) this.head.querySelector(`[data-key="${focused}"]`)?.focus();
  }

  /** @param {any} column @param {number} at */
  heading(column, at) {
    const place = this.sort.findIndex((one) => one.column === at);
    const by = this.sort[place];
    const mark = by && h("span", { class: "ge-sorted", "aria-hidden": "true" }, `${by.down ? "▼" : "▲"}${this.sort.length > 1 ? place + 1 : ""}`);
    const words = [h("span", { class: "ge-column-name" }, column.name, mark), h("span", { class: "ge-dtype" }, column.dtype)];
    const sortable = column.kind !== "nested" && column.kind !== "other";
    return h("th", { scope: "col", title: column.name, class: column.kind === "number" ? "ge-number" : null, "aria-sort": by ? (by.down ? "descending" : "ascending") : null },
      sortable ? h("button", { type: "button", class: "ge-sort", data: { key: at }, onclick: (/** @type {MouseEvent} */ event) => this.asks.sort(this.sorted(at, event.shiftKey)) }, ...words)
        : h("div", { class: "ge-sort" }, ...words));
  }

  /** Up, then down, then not at all; with Shift after the columns that are sorted by already. @param {number} column @param {boolean} added @returns {Sort[]} */
  sorted(column, added) {
    const known = this.sort.find((one) => one.column === column);
    if (!known) return [...(added ? this.sort : []), { column, down: false }];
    if (!added) return known.down ? [] : [{ column, down: true }];
    return this.sort.flatMap((one) => (one !== known ? [one] : known.down ? [] : [{ column, down: true }]));
  }

  /** @param {any[]} cells @param {number} place @returns {Node[]} */
  row(cells, place) {
    const line = h("tr", {}, h("td", { class: "ge-place" }, place), ...cells.map((cell, at) => this.cell(cell, place, this.drawn[at])));
    return this.opened?.row === place ? [line, this.unfolded()] : [line];
  }

  /** @param {null | string | string[]} cell @param {number} row @param {number} at */
  cell(cell, row, at) {
    const column = this.columns[at];
    const number = column.kind === "number" ? "ge-number" : null;
    if (cell === null) return h("td", { class: `ge-na ${number ?? ""}` }, "NA");
    if (Array.isArray(cell)) {
      const open = this.opened?.row === row && this.opened.column === at;
      const label = cell[0] || "empty";
      return h("td", { class: "ge-more" }, button(label, () => this.asks.unfold(row, at), { class: "ge-quiet ge-wire", "aria-expanded": String(open), "aria-label": `${label}: unfold ${column.name}`, data: { cell: `${row} ${at}` } }));
    }
    if (column.name === "status_code") return h("td", {}, badge(cell, cell === "OK" ? "good" : cell === "CANCELLED" ? "late" : "bad"));
    const shown = as_read(cell, column);
    return h("td", { class: number ?? (column.wire ? "ge-wire" : null), title: cell.length > 40 || shown !== cell ? cell : null }, shown);
  }

  /** A cell that is looked at alone; null folds it again. @param {any} opened */
  unfold(opened) {
    const former = this.opened;
    this.opened = opened;
    if (this.window) this.draw(this.window, this.sort);
    const at = opened ?? former;
    if (at) this.body.querySelector(`[data-cell="${at.row} ${at.column}"]`)?.focus({ preventScroll: true });
  }

  unfolded() {
    const { column, row, text, note } = this.opened;
    const copy = button("Copy", async () => {
      try { await navigator.clipboard.writeText(text); copy.textContent = "Copied"; } catch { copy.textContent = "Select, and press Ctrl+C"; }
    }, { class: "ge-quiet" });
    return h("tr", { class: "ge-unfolded" }, h("td", { colspan: 1 + this.drawn.length }, h("div", { class: "ge-unfolded-in" },
      h("div", { class: "ge-unfolded-head" }, wire(this.columns[column].name), h("span", { class: "ge-faint" }, note), copy,
        button("✕", () => this.asks.unfold(row, column), { class: "ge-quiet", "aria-label": "Fold" })),
      h("pre", { class: "ge-wire", tabindex: 0, "aria-label": `${this.columns[column].name}, all of it` }, text))));
  }
}
