// @ts-check
// What has been typed, and nothing of how it is drawn: cells that hold a value each, and their way to JSON and back.
import { write_json } from "./json.js";
import { hint } from "./near.js";
import { at_index, at_key, at_name } from "./paths.js";
import { KINDS } from "./scalars.js";

/** Why JSON cannot be taken over, and where. */
export class DraftTrouble extends Error {
  /** @param {string} path @param {string} sentence */
  constructor(path, sentence) {
    super(sentence);
    this.path = path;
  }
}

/** @param {string} path @param {any} value @param {string} wanted @returns {never} */
function refuse(path, value, wanted) {
  const written = write_json(value).replace(/\s+/g, " ");
  throw new DraftTrouble(path, `${path || "The request"} is ${written.length > 40 ? `${written.slice(0, 40)}…` : written}; expected ${wanted}.`);
}

/** Where one is on the way down, and what was found on it. */
export class Trail {
  /** @param {string} path @param {any[]} things @param {{ path: string, things: any[], sentence: string, lossy: boolean }[]} found */
  constructor(path, things, found) {
    this.path = path;
    this.things = things;
    this.found = found;
  }

  /** @param {string} path @param {any} thing */
  to(path, thing) { return new Trail(path, [...this.things, thing], this.found); }

  /** @param {string} sentence @param {boolean} [lossy] whether JSON could not even spell it */
  say(sentence, lossy = false) { if (sentence) this.found.push({ path: this.path, things: this.things, sentence, lossy }); }
}

/** A value without parts. */
export class Leaf {
  /** @param {any} field @param {any} types */
  constructor(field, types) {
    this.field = field;
    this.types = types;
    this.kind = KINDS[field.kind];
    this.raw = this.blank();
  }

  blank() { return this.kind.blank ?? ""; }

  touched() { return this.raw !== this.blank(); }

  /** @param {any} value @param {string} path */
  take(value, path) {
    const raw = this.kind.read(value, this.field, this.types, write_json);
    if (raw === undefined) refuse(path, value, this.kind.wants);
    this.raw = raw;
  }

  /** What is wrong stays what was typed. */
  json() { return this.problem() ? this.raw : this.kind.write(this.field, this.raw); }

  problem() { return this.kind.problem(this.field, this.raw, this.types); }

  /** @param {Trail} trail */
  check(trail) { trail.say(this.problem()); }
}

/** A message: a slot for each of its fields, made when its type is known and somebody looks. */
export class Message {
  /** @param {string} type @param {any} types */
  constructor(type, types) {
    this.type = type;
    this.types = types;
    /** @type {(One | List | Pairs)[] | null} */ this.slots = null;
    /** @type {Map<string, any>} */ this.extensions = new Map();
    /** @type {Map<string, any> | null} */ this.pending = null; // came before its type did
    this.trouble = "";
    /** @type {Map<string, { field: any, cell: null }>} */ this.oneofs = new Map(); // a server may find fault with one as a whole
  }

  /** Whether its fields are known; what had come before them is taken over now. */
  ready() {
    if (this.slots) return true;
    const type = this.types.get(this.type);
    if (!type) return false;
    this.slots = (type.fields ?? []).map((/** @type {any} */ field) => slot_of(field, this.types));
    for (const { field } of this.slots ?? []) if (field.oneof) this.oneofs.set(field.oneof, { field: { name: field.oneof }, cell: null });
    if (this.pending) this.take_late(this.pending);
    return true;
  }

  /** @param {Map<string, any>} pending */
  take_late(pending) {
    try {
      this.take(pending, "");
      this.pending = null;
    } catch (error) {
      if (!(error instanceof DraftTrouble)) throw error;
      this.trouble = error.message;
    }
  }

  touched() { return true; }

  /** The slot of a name as the schema, JSON or a server spells it. @param {string} name */
  slot(name) {
    /** @type {any[]} */
    const slots = this.slots ?? [];
    return slots.find(({ field }) => field.name === name) ?? slots.find(({ field }) => field.json_name === name);
  }

  /** @param {any} value @param {string} path */
  take(value, path) {
    if (!(value instanceof Map)) refuse(path, value, `an object of ${this.type}’s fields`);
    if (!this.ready()) { this.pending = value; return; }
    /** @type {Map<string, string>} */
    const cases = new Map();
    for (const [name, content] of value) {
      if (name.startsWith("[")) { this.extensions.set(name, content); continue; }
      const slot = this.slot(name) ?? this.unknown(name, path);
      if (content === null && !takes_null(slot.field)) continue;
      const at = at_name(path, slot.field.name);
      if (slot.field.oneof) this.one_case(cases, slot.field.oneof, at);
      slot.take(content, at);
    }
  }

  /** @param {string} name @param {string} path @returns {never} */
  unknown(name, path) {
    const names = (this.slots ?? []).map(({ field }) => field.name);
    throw new DraftTrouble(at_name(path, name), `${this.type} has no field ${at_name(path, name)}. ${hint(name, names)}`);
  }

  /** @param {Map<string, string>} cases @param {string} oneof @param {string} at */
  one_case(cases, oneof, at) {
    const other = cases.get(oneof);
    if (other !== undefined && other !== at) throw new DraftTrouble(at, `${other} and ${at} are both given, and ${oneof} takes one of them.`);
    cases.set(oneof, at);
  }

  /** Send a field or not; of a oneof at most one is. @param {any} slot @param {boolean} present */
  choose(slot, present) {
    if (present && slot.field.oneof) this.choose_none(slot.field.oneof);
    slot.present = present;
  }

  /** @param {string} oneof */
  choose_none(oneof) {
    for (const slot of this.slots ?? []) if (slot instanceof One && slot.field.oneof === oneof) slot.present = false;
  }

  json() {
    if (this.pending) return this.pending;
    const sent = (this.slots ?? []).filter((slot) => slot.sent()).map((slot) => /** @type {[string, any]} */ ([slot.field.name, slot.json()]));
    return new Map([...sent, ...this.extensions]);
  }

  /** @param {Trail} trail */
  check(trail) {
    trail.say(this.trouble);
    for (const slot of this.slots ?? []) slot.check(trail.to(at_name(trail.path, slot.field.name), slot));
  }
}

/** A field with one value. */
export class One {
  /** @param {any} field @param {any} types */
  constructor(field, types) {
    this.field = field;
    this.present = false;
    this.cell = new_cell(field, types);
  }

  sent() { return this.field.presence ? this.present : this.cell.touched(); }

  /** @param {any} value @param {string} path */
  take(value, path) {
    this.cell.take(value, path);
    this.present = true;
  }

  json() { return this.cell.json(); }

  /** @param {Trail} trail */
  check(trail) {
    if (this.field.required && !this.present) trail.say(`${this.field.name} is required.`);
    if (this.sent()) this.cell.check(trail);
  }
}

/** One of the values of a list or map. */
export class Row {
  /** @param {any} field @param {any} types @param {string | null} key */
  constructor(field, types, key = null) {
    this.key = key;
    this.cell = new_cell(field, types);
    this.open = false;
  }
}

/** A repeated field. */
export class List {
  /** @param {any} field @param {any} types */
  constructor(field, types) {
    this.field = field;
    this.types = types;
    /** @type {Row[]} */ this.rows = [];
    this.present = true;
  }

  sent() { return this.rows.length > 0; }

  add() {
    const row = new Row(this.field, this.types);
    this.rows.push(row);
    return row;
  }

  /** @param {any} value @param {string} path */
  take(value, path) {
    if (!Array.isArray(value)) refuse(path, value, "a list: [ … ]");
    this.rows = value.map((content, index) => {
      const row = new Row(this.field, this.types);
      row.cell.take(content, at_index(path, index));
      return row;
    });
  }

  json() { return this.rows.map((row) => row.cell.json()); }

  /** @param {Trail} trail */
  check(trail) { this.rows.forEach((row, index) => row.cell.check(trail.to(at_index(trail.path, index), row))); }
}

/** A map field. */
export class Pairs {
  /** @param {any} field @param {any} types */
  constructor(field, types) {
    this.field = field;
    this.types = types;
    /** @type {Row[]} */ this.rows = [];
    this.present = true;
  }

  sent() { return this.rows.length > 0; }

  add() {
    const row = new Row(this.field, this.types, "");
    this.rows.push(row);
    return row;
  }

  /** @param {any} value @param {string} path */
  take(value, path) {
    if (!(value instanceof Map)) refuse(path, value, "an object: { … }");
    this.rows = [...value].map(([key, content]) => {
      const row = new Row(this.field, this.types, key);
      row.cell.take(content, at_key(path, key));
      return row;
    });
  }

  json() { return new Map(this.rows.map((row) => [this.plain(row), row.cell.json()])); }

  /** The key as it is sent: a number has one spelling. @param {Row} row */
  plain(row) {
    const raw = /** @type {string} */ (row.key);
    return this.field.key.kind === "int" && /^\s*[+-]?\d+\s*$/.test(raw) ? String(BigInt(raw.trim().replace("+", ""))) : this.field.key.kind === "text" ? raw : raw.trim();
  }

  /** @param {Row} row @param {Set<string>} seen the keys above it */
  key_problem(row, seen) {
    const { kind } = this.field.key;
    const key = this.plain(row);
    if (kind === "bool" && !["true", "false"].includes(key)) return "A key here is true or false.";
    const problem = kind === "bool" ? "" : KINDS[kind].problem({ ...this.field.key, type: "the keys" }, row.key, this.types);
    if (problem) return `As a key, ${problem}`;
    return seen.has(key) ? `The key ${JSON.stringify(key)} is there already.` : "";
  }

  /** @param {Trail} trail */
  check(trail) {
    /** @type {Set<string>} */
    const seen = new Set();
    for (const row of this.rows) {
      const there = trail.to(at_key(trail.path, /** @type {string} */ (row.key)), row);
      const problem = this.key_problem(row, seen);
      seen.add(this.plain(row));
      if (problem) there.say(problem, true);
      else row.cell.check(there);
    }
  }
}

/** A message of any known type, or the bytes of an unknown one. */
export class Packed {
  /** @param {any} types */
  constructor(types) {
    this.types = types;
    this.url = "";
    /** @type {Message | Leaf | null} */ this.inner = null;
    /** @type {Leaf | null} */ this.opaque = null;
    /** @type {Map<string, any> | null} */ this.pending = null;
    this.trouble = "";
  }

  /** The full name of the type within. */
  type() { return this.url.slice(this.url.lastIndexOf("/") + 1); }

  touched() { return true; }

  /** @param {string} url */
  choose(url) {
    if (url === this.url) return;
    this.url = url;
    this.inner = this.opaque = this.pending = null;
    this.trouble = "";
    this.ready();
  }

  /** Whether the type is known, or known to be unknown; what had come before it is taken over now. */
  ready() {
    if (this.inner || this.opaque || !this.url) return true;
    const type = this.types.get(this.type());
    if (type === undefined) return false;
    if (type === null) this.opaque = new Leaf({ name: "@value", type: "bytes", kind: "bytes" }, this.types);
    else this.inner = type.as ? new_cell(type.as, this.types) : new Message(this.type(), this.types);
    if (this.pending) this.take_late(this.pending);
    return true;
  }

  /** @param {Map<string, any>} pending */
  take_late(pending) {
    try {
      this.take_content(pending, "");
      this.pending = null;
    } catch (error) {
      if (!(error instanceof DraftTrouble)) throw error;
      this.trouble = error.message;
    }
  }

  /** @param {any} value @param {string} path */
  take(value, path) {
    if (!(value instanceof Map)) refuse(path, value, 'an object with its type under "@type"');
    const url = value.get("@type") ?? (value.size ? null : "");
    if (typeof url !== "string" || (url && !url.includes("/"))) refuse(at_name(path, "@type"), url, "a type such as type.googleapis.com/package.Message");
    const rest = new Map([...value].filter(([name]) => name !== "@type"));
    this.choose(url);
    if (rest.has("@value")) {
      this.inner = null;
      this.opaque = new Leaf({ name: "@value", type: "bytes", kind: "bytes" }, this.types);
    }
    if (this.ready()) this.take_content(rest, path);
    else this.pending = rest;
  }

  /** @param {Map<string, any>} rest @param {string} path */
  take_content(rest, path) {
    if (this.opaque) this.opaque.take(rest.get("@value") ?? "", at_name(path, "@value"));
    else if (this.inner instanceof Message) this.inner.take(rest, path);
    else if (this.inner && rest.has("value")) this.inner.take(rest.get("value"), path);
  }

  json() {
    if (!this.url) return new Map();
    const type = /** @type {[string, any]} */ (["@type", this.url]);
    if (this.pending) return new Map([type, ...this.pending]);
    if (this.inner instanceof Message) return new Map([type, ...this.inner.json()]);
    return new Map([type, this.opaque ? ["@value", this.opaque.json()] : ["value", this.inner?.json() ?? null]]);
  }

  /** @param {Trail} trail */
  check(trail) {
    trail.say(this.trouble);
    (this.inner ?? this.opaque)?.check(trail);
  }
}

/** @param {any} field */
function takes_null(field) { return !field.many && (field.kind === "value" || field.kind === "null"); }

/** @param {any} field @param {any} types */
function slot_of(field, types) {
  if (field.many === "map") return new Pairs(field, types);
  return field.many === "list" ? new List(field, types) : new One(field, types);
}

/** What holds one value of a field. @param {any} field @param {any} types @returns {any} */
export function new_cell(field, types) {
  if (field.kind === "message") return new Message(field.of, types);
  return field.kind === "any" ? new Packed(types) : new Leaf(field, types);
}
