// @ts-check
// A draft on the page.
import { fill, h } from "../dom.js";
import { any_input } from "./any.js";
import { bytes_input } from "./bytes.js";
import { Packed } from "./cells.js";
import { bool_input, enum_input, number_input, text_input } from "./controls.js";
import { free_input } from "./free.js";
import { mask_input } from "./mask.js";
import { message_body } from "./message.js";
import { duration_input, timestamp_input } from "./moments.js";
import { Place } from "./place.js";
import { many_row } from "./repeated.js";
import { field_row } from "./rows.js";

/** @type {Record<string, (leaf: any, place: any, label: string) => any>} */
const INPUTS = {
  text: text_input, int: number_input, float: number_input, bool: bool_input, enum: enum_input, bytes: bytes_input,
  timestamp: timestamp_input, duration: duration_input, struct: free_input, list: free_input, value: free_input,
  null: () => h("span", { class: "ge-faint ge-plain" }, "null"), empty: () => h("span", { class: "ge-faint ge-plain" }, "empty"),
};

export class View {
  /**
   * @param {any} draft @param {string} id
   * @param {{ onedit: () => void, type_names: (then: (names: string[]) => void) => void, response: string }} around
   */
  constructor(draft, id, around) {
    this.draft = draft;
    this.id = id;
    this.around = around;
    this.numbered = 0;
    /** @type {WeakMap<any, any>} */ this.places = new WeakMap();
    /** @type {any[]} */ this.marked = []; // where problems stand that were shown together
    this.root = {}; // what stands for the request itself where it is one value
    this.lists = h("div", { hidden: true });
    this.element = h("div", { class: "ge-form" });
    this.draw();
    this.element.append(this.lists);
  }

  new_id() { return `${this.id}-${(this.numbered += 1)}`; }

  draw() {
    const { root, type } = this.draft;
    if (!("field" in root) && !(root instanceof Packed)) { fill(this.element, message_body(this, root, "", 0)); return; }
    const name = type.slice(type.lastIndexOf(".") + 1);
    const place = new Place(this, this.root, "");
    const content = root instanceof Packed ? this.inside(root, place, name, 0) : this.input(root, place, name);
    fill(this.element, field_row({ name, type: "", help: "" }, place, { content }));
  }

  /** The input of one value. @param {any} leaf @param {any} place @param {string} label @param {any} [message] @param {string} [path] */
  input(leaf, place, label, message, path) {
    if (leaf.field.kind === "mask") return mask_input(leaf, place, label, this.mask_types(leaf.field, message));
    return INPUTS[leaf.field.kind](leaf, place, label);
  }

  /** What is within a message or an Any. @param {any} cell @param {any} place @param {string} label @param {number} depth */
  inside(cell, place, label, depth) {
    if (!(cell instanceof Packed)) return message_body(this, cell, place.path, depth);
    return any_input(this, cell, place, label, depth, (inner) => {
      if (!("field" in inner) && !(inner instanceof Packed)) return message_body(this, inner, place.path, depth, false);
      const own = new Place(this, place.thing, place.path); // what is wrong with it is said there
      own.chosen = place.chosen;
      own.open = place.open;
      const within = cell.opaque ? "@value" : "value";
      return field_row({ name: within, type: inner.field?.type ?? "Any" }, own, { content: inner instanceof Packed ? this.inside(inner, own, within, depth + 1) : this.input(inner, own, within) });
    });
  }

  /** @param {any} slot @param {any} place @param {number} depth */
  many_row(slot, place, depth) { return many_row(this, slot, place, depth); }

  /**
   * Of which types a mask may name paths: of the messages beside it, where it says what to update; of the answer, where it says
   * what to read; else of either.
   * @param {any} field @param {any} message
   */
  mask_types(field, message) {
    const beside = (message?.slots ?? []).map((/** @type {any} */ slot) => slot.field).filter((/** @type {any} */ one) => one.kind === "message" && !one.many).map((/** @type {any} */ one) => one.of);
    const all = /read|view|select|^fields?_/.test(field.name) ? [this.around.response, ...beside] : [...beside, this.around.response];
    return [...new Set([...all, ...(message ? [message.type] : [])])].filter((name) => !name.startsWith("google.protobuf."));
  }

  /** The id of a list of an enum's names, for an input to complete from. @param {string} name @param {string[]} names */
  names_of(name, names) {
    const id = `${this.id}-${name.replace(/\W/g, "-")}`;
    if (![...this.lists.children].some((list) => list.id === id)) this.lists.append(h("datalist", { id }, ...names.map((one) => h("option", { value: one }))));
    return id;
  }

  /** @param {(names: string[]) => void} then */
  type_names(then) { this.around.type_names(then); }

  edited() { this.around.onedit(); }

  /** What is wrong with a slot or row itself. @param {any} thing */
  problem_of(thing) {
    const found = this.draft.problems().find((/** @type {any} */ { things }) => (things.length ? things[things.length - 1] === thing : thing === this.root));
    return found?.sentence ?? "";
  }

  /**
   * Shows problems where they belong, opens what they are in, and says which have no place here.
   * @param {{ path: string, things: any[], rest?: string, sentence: string }[]} problems
   */
  show(problems) {
    this.clear();
    /** @type {any[]} */
    const homeless = [];
    for (const problem of problems) {
      const place = this.reach(problem.things);
      if (!place) { homeless.push(problem); continue; }
      const rest = problem.rest?.replace(/^\./, "");
      place.say(rest && !problem.sentence.includes(rest) ? `${rest}: ${problem.sentence}` : problem.sentence);
      this.marked.push(place);
    }
    return homeless;
  }

  clear() {
    for (const place of this.marked) place.say("");
    this.marked = [];
  }

  /** The place of the last of these that is on the page, with all above it opened. @param {any[]} things */
  reach(things) {
    if (!things.length) return this.places.get(this.root) ?? null;
    let place = null;
    for (const [at, thing] of things.entries()) {
      const next = this.places.get(thing);
      if (!next) break;
      place = next;
      if (at + 1 < things.length) place.open(things[at + 1]);
    }
    return place;
  }

  /** To the first field that has something wrong. */
  focus_first() {
    const first = this.element.querySelector("[aria-invalid=true]");
    first?.focus();
    first?.scrollIntoView?.({ block: "nearest" });
  }
}
