// @ts-check
// A message's fields one below the other, with the cases of a oneof together, and what is nested folded until it is there.
import { fill, h } from "../dom.js";
import { One } from "./cells.js";
import { maybe_bool_input } from "./controls.js";
import { at_name } from "./paths.js";
import { Place } from "./place.js";
import { field_row, fold_button, set_fold } from "./rows.js";

const TOGETHER = 40;

/** @param {any} view @param {any} message @param {string} path @param {number} depth @param {boolean} [indented] */
export function message_body(view, message, path, depth, indented = depth > 0) {
  const body = h("div", { class: indented ? "ge-nested" : "ge-top" });
  body.style.setProperty("--ge-depth", String(depth));
  if (!message.ready()) fill(body, h("p", { class: "ge-faint" }, "…"));
  view.draft.types.need(message.type, () => {
    message.ready();
    fill(body, ...together(new Drawing(view, message, path, depth).rows()));
  });
  return body;
}

/** Of very many rows those that are far away are not laid out. @param {any[]} rows */
function together(rows) {
  if (rows.length <= TOGETHER) return rows;
  const parts = Array.from({ length: Math.ceil(rows.length / TOGETHER) }, (_, at) => rows.slice(at * TOGETHER, (at + 1) * TOGETHER));
  return parts.map((part) => h("div", { class: "ge-many" }, ...part));
}

/** One drawing of a message, whose fields know of each other. */
class Drawing {
  /** @param {any} view @param {any} message @param {string} path @param {number} depth */
  constructor(view, message, path, depth) {
    Object.assign(this, { view, message, path, depth });
    this.view = view;
    this.message = message;
    this.path = path;
    this.depth = depth;
    this.group = view.new_id();
    /** @type {(() => void)[]} */ this.marks = []; // each shows again whether its field is sent
  }

  rows() {
    const { slots, extensions } = this.message;
    /** @type {Set<string>} */
    const seen = new Set();
    const rows = slots.flatMap((/** @type {any} */ slot) => {
      const { oneof } = slot.field;
      if (!oneof) return [this.row(slot)];
      if (seen.has(oneof)) return [];
      seen.add(oneof);
      return [this.oneof(oneof, slots.filter((/** @type {any} */ one) => one.field.oneof === oneof))];
    });
    if (extensions.size) rows.push(h("p", { class: "ge-hint" }, `And from the JSON: ${[...extensions.keys()].join(", ")}`));
    if (!rows.length) rows.push(h("p", { class: "ge-faint" }, this.depth ? "It has no fields." : "This request has no fields."));
    return rows;
  }

  /** @param {string} name @param {any[]} slots */
  oneof(name, slots) {
    const none = this.radio(name, `none of ${name}`, () => !slots.some((slot) => slot.present), () => { this.message.choose_none(name); this.changed(); });
    const place = new Place(this.view, this.message.oneofs.get(name), at_name(this.path, name));
    place.holds(none);
    place.below = h("div", { class: "ge-field-value ge-none-of" }, h("label", {}, none, "none"));
    return h("div", { class: "ge-oneof", role: "radiogroup", "aria-label": `one of ${name}` },
      h("div", { class: "ge-field", data: { row: place.path } },
        h("div", { class: "ge-field-name" }, h("span", { class: "ge-soft" }, name, " ", h("span", { class: "ge-faint" }, "oneof"))), place.below),
      ...slots.map((slot) => this.row(slot)));
  }

  /** @param {string} oneof @param {string} label @param {() => boolean} is_chosen @param {() => void} onchoose */
  radio(oneof, label, is_chosen, onchoose) {
    const radio = h("input", { type: "radio", class: "ge-check ge-presence", name: `${this.group}-${oneof}`, "aria-label": label, onchange: onchoose });
    this.marks.push(() => { radio.checked = is_chosen(); });
    radio.checked = is_chosen();
    return radio;
  }

  /** @param {any} slot */
  row(slot) {
    const place = new Place(this.view, slot, at_name(this.path, slot.field.name));
    if (!(slot instanceof One)) return this.view.many_row(slot, place, this.depth);
    place.chosen = () => { if (slot.field.presence && !slot.present) this.choose(slot, true); };
    if (slot.field.kind === "bool" && slot.field.presence && !slot.field.oneof) {
      return field_row(slot.field, place, { content: maybe_bool_input(slot, place, slot.field.name, (present) => this.choose(slot, present)) });
    }
    const nested = ["message", "any"].includes(slot.field.kind);
    return nested ? this.nested_row(slot, place) : this.leaf_row(slot, place);
  }

  /** @param {any} slot @param {any} place */
  leaf_row(slot, place) {
    const content = this.view.input(slot.cell, place, slot.field.name, this.message, this.path);
    const row = field_row(slot.field, place, { mark: this.mark(slot, (present) => present && slot.field.kind !== "bool" && place.input?.focus()), content });
    this.marks.push(() => row.classList.toggle("ge-unsent", Boolean(slot.field.presence) && !slot.present));
    this.marks[this.marks.length - 1]();
    return row;
  }

  /** @param {any} slot @param {any} place */
  nested_row(slot, place) {
    const holder = h("div", { class: "ge-holder" });
    const fold = fold_button(`fields of ${slot.field.name}`, false, (open) => show(open, true));
    const draw = () => this.view.inside(slot.cell, place, slot.field.name, this.depth + 1);
    const show = (/** @type {boolean} */ open, chosen = false) => {
      slot.open = open;
      if (open && chosen && !slot.present) this.choose(slot, true);
      if (open && !holder.firstChild) fill(holder, draw());
      holder.hidden = !open;
      set_fold(fold, open);
    };
    place.open = () => show(true);
    place.input = fold;
    const mark = this.mark(slot, (present) => show(present));
    this.marks.push(() => { if (!slot.present && slot.open) show(false); });
    const row = field_row(slot.field, place, { mark, fold, content: holder, wide: true });
    show(slot.open ?? slot.present);
    return row;
  }

  /** @param {any} slot @param {(present: boolean) => void} onmark */
  mark(slot, onmark) {
    const { name, oneof, presence } = slot.field;
    if (!presence) return null;
    if (oneof) return this.radio(oneof, `send ${name}`, () => slot.present, () => { this.choose(slot, true); onmark(true); });
    const box = h("input", {
      type: "checkbox", class: "ge-check ge-presence", checked: slot.present, "aria-label": `send ${name}`, title: "Send this field",
      onchange: () => { this.choose(slot, box.checked); onmark(box.checked); },
    });
    this.marks.push(() => { box.checked = slot.present; });
    return box;
  }

  /** @param {any} slot @param {boolean} present */
  choose(slot, present) {
    this.message.choose(slot, present);
    this.changed();
    const place = this.view.places.get(slot);
    if (!present) place?.say("");
  }

  changed() {
    for (const mark of this.marks) mark();
    for (const oneof of this.message.oneofs.values()) this.view.places.get(oneof)?.say("");
    this.view.edited();
  }
}

/** What a folded message holds, in a few words. @param {any} cell @returns {string} */
export function in_short(cell) {
  const slots = (cell.slots ?? []).filter((/** @type {any} */ slot) => slot.sent());
  const words = slots.slice(0, 3).map((/** @type {any} */ slot) => `${slot.field.name} ${short_value(slot)}`);
  return slots.length ? words.join(", ") + (slots.length > 3 ? " …" : "") : cell.url ? cell.type() : "empty";
}

/** @param {any} slot */
function short_value(slot) {
  if (slot.rows) return `× ${slot.rows.length}`;
  const { raw } = slot.cell;
  if (raw === undefined || raw === null) return "{ … }";
  return String(raw).length > 24 ? `${String(raw).slice(0, 24)}…` : String(raw);
}
