// @ts-check
// The values of a list or map: add, remove, put in another order; a long one in pages.
import { fill, h } from "../dom.js";
import { List } from "./cells.js";
import { in_short } from "./message.js";
import { at_index, at_key } from "./paths.js";
import { Place, side_button } from "./place.js";
import { field_row, fold_button, set_fold } from "./rows.js";

const PAGE = 50;

/** @param {any} view @param {any} slot @param {any} place @param {number} depth */
export function many_row(view, slot, place, depth) {
  const rows = h("div", { class: "ge-items", role: "list", "aria-label": slot.field.name });
  const many = new Many(view, slot, place, depth, rows);
  many.draw();
  place.open = (/** @type {any} */ row) => many.reveal(row);
  return field_row(slot.field, place, { content: rows, wide: many.nested() });
}

class Many {
  /** @param {any} view @param {any} slot @param {any} place @param {number} depth @param {any} element */
  constructor(view, slot, place, depth, element) {
    this.view = view;
    this.slot = slot;
    this.place = place;
    this.depth = depth;
    this.element = element;
  }

  nested() { return ["message", "any"].includes(this.slot.field.kind); }

  /** The rows on the page: a window of them where there are many. */
  window() {
    const { slot } = this;
    slot.count = Math.max(PAGE, slot.count ?? PAGE);
    slot.from = Math.max(0, Math.min(slot.from ?? 0, slot.rows.length - 1));
    return { from: slot.from, to: Math.min(slot.rows.length, slot.from + slot.count) };
  }

  draw() {
    const { rows, field } = this.slot;
    const { from, to } = this.window();
    this.adder = h("button", { type: "button", class: "ge-side ge-add", id: this.place.id, "aria-label": `add to ${field.name}`, data: { add: this.place.path }, onclick: () => this.add() }, "+ Add");
    this.place.input = this.adder;
    const before = from > 0 && side_button(`${Math.min(from, PAGE)} before, of ${rows.length}`, `show earlier ones of ${field.name}`, () => this.show(Math.max(0, from - PAGE), to));
    const more = to < rows.length && side_button(`${Math.min(rows.length - to, PAGE)} more of ${rows.length}`, `show more of ${field.name}`, () => this.show(from, to + PAGE));
    fill(this.element, before && h("div", { class: "ge-with" }, before), ...rows.slice(from, to).map((/** @type {any} */ row, /** @type {number} */ at) => this.row(row, from + at)),
      h("div", { class: "ge-with" }, this.adder, more));
  }

  /** @param {number} from @param {number} to */
  show(from, to) {
    this.slot.from = from;
    this.slot.count = to - from;
    this.draw();
  }

  /** @param {any} [row] has to be on the page */
  reveal(row) {
    const at = this.slot.rows.indexOf(row);
    const { from, to } = this.window();
    if (at >= 0 && (at < from || at >= to)) this.show(at - (at % PAGE), at - (at % PAGE) + PAGE);
  }

  add() {
    const row = this.slot.add();
    row.open = true;
    this.draw();
    this.reveal(row);
    this.view.edited();
    this.element.querySelector(`[data-item="${this.slot.rows.length - 1}"]`)?.querySelector("input, textarea, select")?.focus();
  }

  /** @param {any} row */
  remove(row) {
    const at = this.slot.rows.indexOf(row);
    this.slot.rows.splice(at, 1);
    this.draw();
    this.view.edited();
    this.to_button(Math.min(at, this.slot.rows.length - 1), "remove");
  }

  /** @param {any} row @param {number} step */
  move(row, step) {
    const { rows } = this.slot;
    const at = rows.indexOf(row);
    if (at + step < 0 || at + step >= rows.length) return;
    rows.splice(at, 1);
    rows.splice(at + step, 0, row);
    this.draw();
    this.view.edited();
    this.to_button(at + step, step < 0 ? "up" : "down");
  }

  /** The focus stays with what was pressed. @param {number} index @param {string} action */
  to_button(index, action) { (this.element.querySelector(`[data-item="${index}"] > .ge-with > [data-act=${action}]`) ?? this.adder).focus(); }

  /** @param {any} row @param {number} index */
  row(row, index) {
    const { field } = this.slot;
    const is_list = this.slot instanceof List;
    const path = is_list ? at_index(this.place.path, index) : at_key(this.place.path, row.key);
    const place = new Place(this.view, row, path);
    const label = is_list ? `${field.name} ${index + 1}` : `value ${index + 1} of ${field.name}`;
    const key = is_list ? h("span", { class: "ge-faint ge-index" }, index) : this.key_input(row, place, index);
    const buttons = [
      is_list && side_button("↑", `move ${label} up`, () => this.move(row, -1), { data: { act: "up" }, disabled: index === 0 }),
      is_list && side_button("↓", `move ${label} down`, () => this.move(row, 1), { data: { act: "down" }, disabled: index === this.slot.rows.length - 1 }),
      side_button("✕", `remove ${label}`, () => this.remove(row), { data: { act: "remove" } }),
    ];
    const [middle, below] = this.nested() ? this.folded(row, place, label) : [h("div", { class: "ge-grow" }, this.view.input(row.cell, place, label)), null];
    const item = h("div", { class: "ge-item", role: "listitem", data: { item: index, row: path } }, h("div", { class: "ge-with" }, key, middle, ...buttons), below);
    place.below = item;
    item.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (!is_list || !event.altKey || !step || event.defaultPrevented) return;
      event.preventDefault();
      this.move(row, step);
    });
    return item;
  }

  /** @param {any} row @param {any} place @param {number} index */
  key_input(row, place, index) {
    const input = h("input", {
      type: "text", class: "ge-input ge-wire ge-key", value: row.key, placeholder: this.slot.field.key.kind === "bool" ? "true or false" : "key", "aria-label": `key ${index + 1} of ${this.slot.field.name}`,
      spellcheck: "false", autocomplete: "off", data: { key: index },
      oninput: () => { row.key = input.value; place.edited(); },
      onchange: () => this.slot.rows.forEach((/** @type {any} */ one) => this.view.places.get(one)?.done()),
    });
    return input;
  }

  /** @param {any} row @param {any} place @param {string} label */
  folded(row, place, label) {
    const holder = h("div", { class: "ge-holder" });
    const short = h("button", { type: "button", class: "ge-short", tabindex: -1, "aria-hidden": "true", onclick: () => show(!row.open) });
    const show = (/** @type {boolean} */ open) => {
      row.open = open;
      if (open && !holder.firstChild) fill(holder, this.view.inside(row.cell, place, label, this.depth + 1));
      holder.hidden = !open;
      row.cell.ready();
      short.textContent = open ? "" : in_short(row.cell);
      set_fold(fold, open);
    };
    const fold = fold_button(`fields of ${label}`, row.open, show);
    place.open = () => show(true);
    place.input = fold;
    show(row.open);
    return [h("div", { class: "ge-grow ge-folded" }, fold, short), holder];
  }
}
