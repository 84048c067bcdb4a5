// @ts-check
// A request as a form: what was typed, whether the type allows it, and its way to JSON text and back.
import { h } from "./dom.js";

/** JSON with whole numbers beyond a double's reach kept as text, which is how JSON spells 64-bit fields anyway. @param {string} text */
export function parse_exact(text) {
  const reviver = (/** @type {string} */ _key, /** @type {any} */ value, /** @type {any} */ context) =>
    typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? "") ? context.source : value;
  return JSON.parse(text, /** @type {any} */ (reviver));
}

/** @param {any} field @param {string} raw */
function number_problem(field, raw) {
  if (field.kind === "float") {
    return raw.trim() !== "" && (["NaN", "Infinity", "-Infinity"].includes(raw) || Number.isFinite(Number(raw))) ? "" : `${raw || "Nothing"} is not a number.`;
  }
  if (!/^[+-]?\d+$/.test(raw.trim())) return `${raw || "Nothing"} is not a whole number.`;
  const number = BigInt(raw.trim().replace("+", ""));
  return number < BigInt(field.min) || number > BigInt(field.max) ? `${raw} is outside ${field.type}: ${field.min} to ${field.max}.` : "";
}

/** The sentence that says why this cannot be sent, or "". @param {any} field @param {any} raw */
export function problem_of(field, raw) {
  if (field.kind === "int" || field.kind === "float") return number_problem(field, raw);
  if (field.kind === "bytes") return /^[A-Za-z0-9+/_-]*={0,2}$/.test(raw.trim()) && raw.trim().replace(/=+$/, "").length % 4 !== 1 ? "" : "This is not base64.";
  if (field.kind !== "json") return "";
  try {
    const value = JSON.parse(raw);
    if (field.shape === "list" && !Array.isArray(value)) return "A list is expected: [ … ].";
    if (field.shape === "object" && (typeof value !== "object" || Array.isArray(value))) return "An object is expected: { … }.";
    return "";
  } catch (error) {
    return `This is not JSON: ${/** @type {Error} */ (error).message}`;
  }
}

/** @param {any} field @param {any} raw */
function json_text(field, raw) {
  if (field.kind === "bool") return String(raw === true || raw === "true");
  if (field.kind === "json") return raw.trim();
  if (field.kind === "int" && !field.wide) return String(Number(raw));
  if (field.kind === "float" && Number.isFinite(Number(raw))) return String(Number(raw));
  return JSON.stringify(field.kind === "int" || field.kind === "bytes" ? raw.trim() : raw);
}

/** What a field holds before anybody typed. @param {any} field */
function untouched(field) {
  if (field.kind === "bool" && field.presence) return "not sent";
  return field.kind === "bool" ? false : field.kind === "enum" ? field.values[0] ?? "" : "";
}

/** What has been typed for one method's request. */
export class Draft {
  /** @param {any[]} fields */
  constructor(fields) {
    this.fields = fields;
    this.clear();
  }

  clear() {
    /** @type {Record<string, any>} */ this.raw = {};
    /** @type {Set<string>} */ this.present = new Set();
    for (const field of this.fields) this.raw[field.name] = untouched(field);
  }

  /** @param {any} field @param {any} raw */
  set(field, raw) {
    this.raw[field.name] = raw;
    if (field.presence) this.choose(field, raw !== "not sent" || field.kind !== "bool");
  }

  /** Present or not; of a oneof at most one is. @param {any} field @param {boolean} present */
  choose(field, present) {
    if (!present) { this.present.delete(field.name); return; }
    if (field.oneof) for (const other of this.fields) if (other.oneof === field.oneof) this.present.delete(other.name);
    this.present.add(field.name);
  }

  sent() {
    return this.fields.filter((field) => (field.presence ? this.present.has(field.name) : this.raw[field.name] !== untouched(field)));
  }

  /** @returns {Record<string, string>} */
  problems() {
    const found = this.sent().map((field) => [field.name, problem_of(field, this.raw[field.name])]);
    return Object.fromEntries(found.filter(([, sentence]) => sentence));
  }

  to_json() {
    const lines = this.sent().map((field) => `  ${JSON.stringify(field.name)}: ${json_text(field, this.raw[field.name])}`);
    return lines.length ? `{\n${lines.join(",\n")}\n}` : "{}";
  }

  /** Takes over JSON text; the sentence that says why it cannot, or "". @param {string} text */
  from_json(text) {
    let value;
    try {
      value = parse_exact(text.trim() || "{}");
    } catch (error) {
      return `This is not JSON: ${/** @type {Error} */ (error).message}`;
    }
    if (typeof value !== "object" || value === null || Array.isArray(value)) return "A request is an object: { … }.";
    const by_name = new Map(this.fields.flatMap((field) => [[field.json_name, field], [field.name, field]]));
    const unknown = Object.keys(value).find((name) => !by_name.has(name));
    if (unknown !== undefined) return `There is no field ${unknown}; known are ${this.fields.slice(0, 8).map((field) => field.name).join(", ") || "none"}.`;
    this.clear();
    for (const [name, content] of Object.entries(value)) this.take(by_name.get(name), content);
    return "";
  }

  /** @param {any} field @param {any} content */
  take(field, content) {
    if (content === null && field.kind !== "json") return;
    if (field.kind === "json") this.set(field, JSON.stringify(content));
    else if (field.kind === "bool") this.set(field, field.presence ? String(content === true) : content === true);
    else if (field.kind === "enum") this.set(field, field.numbers?.[content] ?? String(content));
    else this.set(field, String(content));
  }
}

/** @param {any} field @param {any} raw @param {Record<string, any>} shared */
function control(field, raw, shared) {
  if (field.kind === "bool" && field.presence) return choice(["not sent", "false", "true"], raw, shared);
  if (field.kind === "bool") return h("input", { ...shared, type: "checkbox", class: "ge-check", checked: Boolean(raw) });
  if (field.kind === "json") {
    return h("textarea", { ...shared, class: "ge-input ge-wire", rows: Math.min(8, String(raw).split("\n").length), value: raw, placeholder: field.placeholder });
  }
  if (field.kind !== "enum") {
    const numeric = field.kind === "int" ? "numeric" : field.kind === "float" ? "decimal" : null;
    return h("input", { ...shared, type: "text", class: "ge-input", inputmode: numeric, value: raw, placeholder: field.placeholder });
  }
  return choice(field.values.includes(raw) ? field.values : [...field.values, raw], raw, shared);
}

/** @param {string[]} names @param {any} chosen @param {Record<string, any>} shared */
function choice(names, chosen, shared) {
  const select = h("select", { ...shared, class: "ge-input" }, ...names.map((name) => h("option", { value: name }, name)));
  select.value = String(chosen);
  return select;
}

/**
 * One field's row: its name and type, its presence where it has one, its input, its problem.
 * @param {any} field @param {Draft} draft @param {string} id @param {() => void} onedit
 */
export function field_row(field, draft, id, onedit) {
  const edit = (/** @type {any} */ event) => {
    draft.set(field, event.target.type === "checkbox" ? event.target.checked : event.target.value);
    onedit();
  };
  const presence = field.presence && field.kind !== "bool" && h("input", {
    type: "checkbox", class: "ge-check ge-presence", checked: draft.present.has(field.name), "aria-label": `send ${field.name}`, title: "Send this field",
    onchange: (/** @type {any} */ event) => { draft.choose(field, event.target.checked); onedit(); },
  });
  const input = control(field, draft.raw[field.name], {
    id, spellcheck: "false", autocomplete: "off", "aria-describedby": `${id}-problem`, data: { field: field.name },
    oninput: edit,
  });
  const name = h("label", { for: id, title: field.help }, field.name, " ", h("span", { class: "ge-faint" }, field.type));
  const hint = field.oneof && h("span", { class: "ge-faint" }, ` one of ${field.oneof}`);
  return h("div", { class: "ge-field", data: { row: field.name } },
    h("div", { class: "ge-field-name" }, presence, h("span", {}, name, hint)),
    h("div", { class: "ge-field-value" }, input, h("div", { class: "ge-field-problem", id: `${id}-problem`, role: "alert" })));
}

/** @param {string} name */
function open_value(name) {
  return ["accept-language", "traceparent", "x-correlation-id", "x-request-id"].includes(name.trim().toLowerCase());
}

/**
 * Rows of metadata to send. Values are masked but for a few harmless names, and leave this page only with a call.
 * @param {{ name: string, value: string }[]} entries @param {() => void} onedit
 */
export function metadata_rows(entries, onedit) {
  const one = (/** @type {{ name: string, value: string }} */ entry, /** @type {number} */ index) => {
    const value = h("input", {
      class: "ge-input", type: open_value(entry.name) ? "text" : "password", value: entry.value, placeholder: "value", autocomplete: "off",
      "aria-label": `value of ${entry.name || "metadata"}`, oninput: (/** @type {any} */ event) => { entry.value = event.target.value; },
    });
    const name = h("input", {
      class: "ge-input ge-wire", type: "text", value: entry.name, placeholder: "name", spellcheck: "false", autocomplete: "off", "aria-label": "metadata name",
      oninput: (/** @type {any} */ event) => { entry.name = event.target.value; value.type = open_value(entry.name) ? "text" : "password"; },
    });
    const remove = h("button", { type: "button", class: "ge-quiet", "aria-label": `remove ${entry.name || "this"}`, onclick: () => { entries.splice(index, 1); onedit(); } }, "✕");
    return h("div", { class: "ge-metadata-row" }, name, value, remove);
  };
  const add = h("button", { type: "button", class: "ge-quiet", onclick: () => { entries.push({ name: "", value: "" }); onedit(); } }, "Add metadata");
  return h("div", { class: "ge-metadata" }, ...entries.map(one), add);
}

/** Where in a method's request something is wrong, as text. @param {Record<string, string>} problems */
export function general_problem(problems) {
  return problems[""] ? h("p", { class: "ge-trouble", role: "alert" }, problems[""]) : null;
}

