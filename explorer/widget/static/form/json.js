// @ts-check
// JSON that loses nothing: numbers stay the digits that were written, objects keep their order, and what is wrong has a line and a column.

/** A number as it was written: a double holds no int64, and no -0 that JSON.stringify would show. */
export class Numeral {
  /** @param {string} text */
  constructor(text) { this.text = text; }
}

/** What is wrong with JSON text, and where. */
export class JsonTrouble extends Error {
  /** @param {string} what @param {string} text @param {number} at */
  constructor(what, text, at) {
    const before = text.slice(0, at).split("\n");
    const column = before[before.length - 1].length + 1;
    super(`This is not JSON: ${what} at line ${before.length}, column ${column}.`);
    this.at = at;
  }
}

const NUMBER = /-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const WORD = /[A-Za-z_][\w-]*/y;
const SPACE = /[ \t\r\n]*/y;
const DEEPEST = 200; // twice what a message may be nested

class Reader {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
    this.at = 0;
  }

  /** @param {RegExp} pattern */
  match(pattern) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found) this.at += found[0].length;
    return found?.[0];
  }

  peek() {
    this.match(SPACE);
    return this.text[this.at];
  }

  /** @param {string} what @param {number} [at] @returns {never} */
  refuse(what, at = this.at) { throw new JsonTrouble(what, this.text, at); }

  /** @param {number} depth @returns {any} */
  value(depth) {
    const first = this.peek();
    if (depth > DEEPEST) this.refuse("it is nested too deep");
    if (first === "{") return this.object(depth);
    if (first === "[") return this.array(depth);
    if (first === '"') return this.string();
    const number = this.match(NUMBER);
    if (number) return new Numeral(number);
    return this.word(first);
  }

  /** @param {string | undefined} first */
  word(first) {
    const start = this.at;
    const word = this.match(WORD);
    if (word === "true" || word === "false") return word === "true";
    if (word === "null") return null;
    if (word) this.refuse(`${word} needs quotes`, start);
    return this.refuse(first === undefined ? "it ends where a value is expected" : `a value is expected, not ${first}`, start);
  }

  /** @param {number} depth */
  object(depth) {
    /** @type {Map<string, any>} */
    const members = new Map();
    this.at += 1;
    if (this.closes("}")) return members;
    do {
      if (this.peek() !== '"') this.refuse("a name in quotes is expected");
      const start = this.at;
      const name = this.string();
      if (members.has(name)) this.refuse(`“${name}” is given twice, the second time`, start);
      if (this.peek() !== ":") this.refuse(`a colon is expected after “${name}”`);
      this.at += 1;
      members.set(name, this.value(depth + 1));
    } while (this.goes_on("}"));
    return members;
  }

  /** @param {number} depth */
  array(depth) {
    /** @type {any[]} */
    const items = [];
    this.at += 1;
    if (this.closes("]")) return items;
    do items.push(this.value(depth + 1)); while (this.goes_on("]"));
    return items;
  }

  /** @param {string} end */
  closes(end) {
    if (this.peek() !== end) return false;
    this.at += 1;
    return true;
  }

  /** @param {string} end */
  goes_on(end) {
    if (this.closes(end)) return false;
    if (this.peek() !== ",") this.refuse(`a comma or ${end} is expected`);
    this.at += 1;
    return true;
  }

  string() {
    const start = this.at;
    for (this.at += 1; this.text[this.at] !== '"'; this.at += this.text[this.at] === "\\" ? 2 : 1) {
      if (this.at >= this.text.length) this.refuse("a closing quote is missing for what begins", start);
      if (this.text[this.at] < " ") this.refuse("a line break or tab within quotes is expected as \\n or \\t");
    }
    this.at += 1;
    try {
      return /** @type {string} */ (JSON.parse(this.text.slice(start, this.at)));
    } catch {
      return this.refuse("there is a \\ that JSON does not know in the text that begins", start);
    }
  }
}

/** JSON text as Maps, arrays, texts, booleans, nulls and Numerals; throws JsonTrouble. @param {string} text */
export function parse_json(text) {
  const reader = new Reader(text);
  const value = reader.value(0);
  if (reader.peek() !== undefined) reader.refuse(`nothing more is expected, but there is ${reader.peek()}`);
  return value;
}

/** The text of what parse_json gives; short lists of plain values stay on their line. @param {any} value @param {string} [indent] @returns {string} */
export function write_json(value, indent = "") {
  if (value instanceof Numeral) return value.text;
  if (!(value instanceof Map) && !Array.isArray(value)) return JSON.stringify(value);
  const inner = `${indent}  `;
  const parts = value instanceof Map
    ? [...value].map(([name, one]) => `${JSON.stringify(name)}: ${write_json(one, inner)}`)
    : value.map((one) => write_json(one, inner));
  const [open, close] = value instanceof Map ? ["{", "}"] : ["[", "]"];
  if (!parts.length) return open + close;
  const flat = Array.isArray(value) && !value.some((one) => one instanceof Map || Array.isArray(one));
  const line = parts.join(", ");
  if (flat && line.length < 72) return open + line + close;
  return `${open}\n${inner}${parts.join(`,\n${inner}`)}\n${indent}${close}`;
}
