// @ts-check
// One value as it was typed: whether its type allows it, and its way to JSON and back.
import { Numeral, parse_json } from "./json.js";
import { hint } from "./near.js";
import { duration_of, timestamp } from "./times.js";

const NOT_FINITE = new Map([["nan", "NaN"], ["infinity", "Infinity"], ["inf", "Infinity"], ["+infinity", "Infinity"], ["-infinity", "-Infinity"], ["-inf", "-Infinity"]]);
const JSON_NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
const SNAKE = /^[a-z][a-z0-9]*(_[a-z][a-z0-9]*)*(\.[a-z][a-z0-9]*(_[a-z][a-z0-9]*)*)*$/; // a path that its JSON spelling brings back

/** @param {string} raw */
function said(raw) {
  const text = raw.trim();
  return text.length > 40 ? `${text.slice(0, 40)}…` : text || "Nothing";
}

/** @param {any} field @param {string} raw */
function int_problem(field, raw) {
  const text = raw.trim();
  if (!/^[+-]?\d+$/.test(text)) return `${said(raw)} is not a whole number.`;
  const number = BigInt(text.replace("+", ""));
  return number < BigInt(field.min) || number > BigInt(field.max) ? `${said(raw)} is outside ${field.type ?? "its type"}: ${field.min} to ${field.max}.` : "";
}

/** @param {any} field @param {string} raw */
function float_problem(field, raw) {
  const text = raw.trim();
  if (NOT_FINITE.has(text.toLowerCase())) return "";
  if (text === "" || !/^[+-]?(\d|\.\d)/.test(text) || Number.isNaN(Number(text)) || /[xob]/i.test(text)) return `${said(raw)} is not a number.`;
  const number = field.single ? Math.fround(Number(text)) : Number(text);
  return Number.isFinite(number) ? "" : `${said(raw)} is outside ${field.single ? "float: up to 3.4e38" : "double: up to 1.8e308"}.`;
}

/** @param {any} field @param {string} raw @param {any} types */
function enum_problem(field, raw, types) {
  const known = types.get(field.of);
  const names = (known?.values ?? []).map((/** @type {any} */ one) => one[0]);
  if (names.includes(raw)) return "";
  if (!/^-?\d+$/.test(raw.trim())) return raw ? `There is no value ${said(raw)}. ${hint(raw, names)}` : "Choose a value.";
  const number = Number(raw);
  if (number < -2147483648 || number > 2147483647) return `${said(raw)} is outside an enum's numbers: -2147483648 to 2147483647.`;
  if (!known?.closed || known.values.some((/** @type {any} */ one) => one[1] === number)) return "";
  return `${said(raw)} is none of this enum's numbers, and it takes no others.`;
}

/** @param {any} _field @param {string} raw */
function bytes_problem(_field, raw) {
  const text = raw.trim();
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(text)) return "This is not base64: A-Z a-z 0-9 + / and = at the end.";
  return text.replace(/=+$/, "").length % 4 === 1 ? "This is not base64: a character is missing at the end." : "";
}

/** @param {any} field @param {string} raw */
function free_problem(field, raw) {
  try {
    const value = parse_json(raw);
    if (field.kind === "list" && !Array.isArray(value)) return "A list is expected: [ … ].";
    return field.kind === "struct" && !(value instanceof Map) ? "An object is expected: { … }." : "";
  } catch (error) {
    return /** @type {Error} */ (error).message;
  }
}

/** @param {any} field @param {string} raw */
function mask_problem(field, raw) {
  const odd = paths_of(raw).find((path) => !/^\w+(\.\w+)*$/.test(path));
  return odd === undefined ? "" : `${said(odd)} is not a path such as name or address.city.`;
}

/** The paths in a FieldMask's text. @param {string} raw */
export function paths_of(raw) {
  return raw.split(",").map((path) => path.trim()).filter(Boolean);
}

/** @param {any} _field @param {string} raw */
function write_mask(_field, raw) {
  const paths = paths_of(raw);
  // A path that lower camel case does not bring back is sent as what it is.
  if (!paths.every((path) => SNAKE.test(path))) return new Map([["paths", paths]]);
  return paths.map((path) => path.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase())).join(",");
}

/** @param {any} value */
function read_mask(value) {
  const snake = (/** @type {string} */ path) => path.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  if (typeof value === "string") return paths_of(value).map(snake).join(",");
  const paths = value instanceof Map && value.size === 1 ? value.get("paths") : null;
  return Array.isArray(paths) && paths.every((path) => typeof path === "string") ? paths.join(",") : undefined;
}

/** @param {any} field @param {string} raw */
function write_float(field, raw) {
  const text = raw.trim();
  const special = NOT_FINITE.get(text.toLowerCase());
  if (special) return special;
  if (Object.is(Number(text), -0)) return new Numeral("-0.0"); // -0 is read as a whole number, which has no sign
  return new Numeral(JSON_NUMBER.test(text) ? text : String(Number(text)));
}

/** @param {any} field @param {string} raw */
function write_int(field, raw) {
  const text = String(BigInt(raw.trim().replace("+", "")));
  return field.wide ? text : new Numeral(text);
}

/** @param {any} value */
function read_int(value) {
  if (!(value instanceof Numeral)) return typeof value === "string" ? value : undefined;
  return /[.eE]/.test(value.text) && Number.isSafeInteger(Number(value.text)) ? String(Number(value.text)) : value.text;
}

/** @param {any} value @param {any} field @param {any} types */
function read_enum(value, field, types) {
  if (typeof value === "string") return value;
  if (!(value instanceof Numeral)) return undefined;
  const known = types.get(field.of)?.values.find((/** @type {any} */ one) => String(one[1]) === value.text);
  return known ? known[0] : value.text;
}

const text_of = (/** @type {any} */ value) => (typeof value === "string" ? value : undefined);
const digits_of = (/** @type {any} */ value) => (value instanceof Numeral ? value.text : text_of(value));
const trimmed = (/** @type {any} */ _field, /** @type {string} */ raw) => raw.trim();
const parsed = (/** @type {any} */ _field, /** @type {string} */ raw) => parse_json(raw);

/**
 * What there is to know about each kind of value. `problem` says why what was typed cannot be sent; `write` makes a JSON value of
 * what has no problem; `read` takes one over, undefined where it is of another kind than `wants`.
 * @type {Record<string, { blank?: any, wants: string, problem: (field: any, raw: any, types: any) => string, write: (field: any, raw: any) => any, read: (value: any, field: any, types: any, text: (value: any) => string) => any }>}
 */
export const KINDS = {
  text: { wants: "text in quotes", problem: (_field, raw) => (/[\ud800-\udfff]/u.test(raw) ? "This holds half a character, which UTF-8 does not have." : ""), write: (_field, raw) => raw, read: text_of },
  int: { wants: "a whole number", problem: int_problem, write: write_int, read: read_int },
  float: { wants: "a number", problem: float_problem, write: write_float, read: digits_of },
  bool: { blank: false, wants: "true or false", problem: () => "", write: (_field, raw) => raw, read: (value) => (typeof value === "boolean" ? value : undefined) },
  enum: { wants: "a name in quotes, or a number", problem: enum_problem, write: (_field, raw) => (/^-?\d+$/.test(raw.trim()) ? new Numeral(String(Number(raw))) : raw), read: read_enum },
  null: { blank: null, wants: "null", problem: () => "", write: () => null, read: (value) => (value === null || value === "NULL_VALUE" ? null : undefined) },
  bytes: { wants: "base64 text in quotes", problem: bytes_problem, write: trimmed, read: text_of },
  timestamp: { wants: "a time in quotes", problem: (_field, raw) => timestamp(raw).problem, write: (_field, raw) => timestamp(raw).text, read: text_of },
  duration: { wants: "a duration in quotes", problem: (_field, raw) => duration_of(raw).problem, write: (_field, raw) => duration_of(raw).text, read: text_of },
  mask: { wants: "paths in quotes", problem: mask_problem, write: write_mask, read: read_mask },
  struct: { wants: "an object", problem: free_problem, write: parsed, read: (value, _field, _types, text) => (value instanceof Map ? text(value) : undefined) },
  list: { wants: "a list", problem: free_problem, write: parsed, read: (value, _field, _types, text) => (Array.isArray(value) ? text(value) : undefined) },
  value: { wants: "any JSON", problem: free_problem, write: parsed, read: (value, _field, _types, text) => text(value) },
  empty: { blank: null, wants: "{}", problem: () => "", write: () => new Map(), read: (value) => (value instanceof Map && !value.size ? null : undefined) },
};
