// @ts-check
// A request as it was typed: its cells, its JSON text, and what stands in the way of sending it.
import { DraftTrouble, Leaf, List, Message, new_cell, Packed, Pairs, Row, Trail } from "./cells.js";
import { JsonTrouble, parse_json, write_json } from "./json.js";
import { at_index, at_key, steps_of } from "./paths.js";

/** What an untouched request is whose type has a spelling of its own. @type {Record<string, string>} */
const BLANKS = { list: "[]", value: "null" };

/** A request: one cell, its text, and what stands in the way of sending it. */
export class Draft {
  /** @param {string} type @param {any} types */
  constructor(type, types) {
    this.type = type;
    this.types = types;
    this.clear();
  }

  clear() {
    const as = this.types.get(this.type)?.as;
    /** @type {any} */ this.root = as ? new_cell(as, this.types) : new Message(this.type, this.types);
    if (this.root instanceof Message) this.root.ready();
  }

  to_json() { return this.untouched() ? BLANKS[this.root.field.kind] ?? "{}" : write_json(this.root.json()); }

  /** Whether nobody typed a request that is one value. */
  untouched() { return this.root instanceof Leaf && !this.root.touched(); }

  /** Takes over JSON text; where it cannot, everything stays, and the trouble says why. @param {string} text @returns {Error | null} */
  from_json(text) {
    const before = this.root;
    try {
      const value = parse_json(text.trim() || "{}");
      this.clear();
      this.root.take(value, "");
      return null;
    } catch (error) {
      this.root = before;
      if (error instanceof DraftTrouble || error instanceof JsonTrouble) return error;
      throw error;
    }
  }

  /** What cannot be sent, and on which way it is found. @returns {{ path: string, things: any[], sentence: string, lossy: boolean }[]} */
  problems() {
    const trail = new Trail("", [], []);
    if (!this.untouched()) this.root.check(trail);
    return trail.found;
  }

  /** What a path leads to, as far as it does: the slots and rows on the way, and the steps that are left. @param {string} path */
  find(path) {
    const steps = steps_of(path) ?? [];
    const way = new Way(this.root);
    const short = this.type.slice(this.type.lastIndexOf(".") + 1);
    let at = steps.length > 1 && "name" in steps[0] && steps[0].name === short && !(this.root instanceof Message && this.root.slot(short)) ? 1 : 0;
    while (at < steps.length && way.go(steps[at])) at += 1;
    return { things: way.things, rest: steps.slice(at).map(spelled).join("") };
  }
}

/** @param {any} step */
function spelled(step) {
  return "name" in step ? `.${step.name}` : "index" in step ? at_index("", step.index) : at_key("", step.key);
}

/** A walk down a draft, step by step. */
class Way {
  /** @param {any} cell */
  constructor(cell) {
    this.cell = cell;
    /** @type {any} */ this.many = null;
    /** @type {any[]} */ this.things = [];
  }

  /** One step on; false where there is nothing of that name. @param {any} step */
  go(step) {
    const thing = this.many ? this.row(step) : this.field(step);
    if (!thing) return false;
    this.things.push(thing);
    this.many = thing instanceof List || thing instanceof Pairs ? thing : null;
    this.cell = this.many ? null : thing.cell;
    return true;
  }

  /** @param {any} step */
  row(step) {
    const word = String(step.name ?? step.key ?? step.index);
    if (this.many instanceof Pairs) return this.many.rows.find((/** @type {Row} */ row) => row.key === word);
    return /^\d+$/.test(word) ? this.many.rows[Number(word)] : undefined;
  }

  /** @param {any} step */
  field(step) {
    const cell = this.cell instanceof Packed ? this.cell.inner : this.cell;
    if (!(cell instanceof Message) || !("name" in step) || !cell.ready()) return undefined;
    const plain = (/** @type {string} */ name) => name.toLowerCase().replaceAll("_", "");
    return cell.slot(step.name) ?? (cell.slots ?? []).find(({ field }) => plain(field.name) === plain(step.name)) ?? cell.oneofs.get(step.name);
  }
}
