// @ts-check
// What rows must be to be shown: a line of small fields for each column that is asked.
import { button, fill, h } from "../dom.js";

/** @typedef {{ column: number, kind: string, text: string, low: string, high: string }} Condition */

const WORDS = { contains: "contains", equals: "is", range: "from … to", missing: "is missing (NA)", present: "is there" };
/** What a column of each kind can be asked. @type {Record<string, string[]>} */
const ASKED = {
  text: ["contains", "equals", "missing", "present"], number: ["range", "equals", "missing", "present"], truth: ["equals", "missing", "present"],
  time: ["range", "missing", "present"], duration: ["range", "missing", "present"],
};
const HINTS = { time: "2026-01-31 12:00", duration: "seconds", truth: "true or false" };

/** @param {any} column */
function kinds_of(column) {
  if (column.choices) return ["equals", "contains", "missing", "present"];
  return ASKED[column.kind] ?? ["missing", "present"];
}

export class Conditions {
  /** @param {() => void} changed */
  constructor(changed) {
    this.changed = changed;
    /** @type {any[]} */ this.columns = [];
    /** @type {Condition[]} */ this.asked = [];
    this.adder = h("select", { class: "ge-input ge-add", "aria-label": "add a filter", onchange: () => this.add(Number(this.adder.value)) });
    this.element = h("div", { class: "ge-conditions" });
  }

  /** @param {any[]} columns @param {boolean} kept whether what was asked still is */
  begin(columns, kept) {
    this.columns = columns;
    if (!kept) this.asked = [];
    fill(this.adder, h("option", { value: "" }, "+ Filter"), ...columns.map((column, at) => h("option", { value: at }, column.name)));
    this.draw();
  }

  /** @param {number} column */
  add(column) {
    this.adder.value = "";
    const kinds = kinds_of(this.columns[column]);
    this.asked.push({ column, kind: kinds[0], text: "", low: "", high: "" });
    this.draw();
    const fields = this.element.lastElementChild?.querySelectorAll("input, select");
    /** @type {any} */ (fields?.[fields.length > 1 ? 1 : 0])?.focus();
    if (kinds[0] === "missing") this.changed();
  }

  draw() {
    this.element.hidden = !this.asked.length;
    fill(this.element, ...this.asked.map((one) => this.condition(one)));
  }

  /** @param {Condition} one */
  condition(one) {
    const column = this.columns[one.column];
    const kinds = kinds_of(column);
    const choose = (/** @type {any} */ event) => { one.kind = event.target.value; this.draw(); this.changed(); };
    const field = (/** @type {"text" | "low" | "high"} */ name, /** @type {string} */ hint) => h("input", {
      class: "ge-input ge-asked", type: "text", value: one[name], placeholder: hint, maxlength: 1000, "aria-label": `${column.name} ${name === "text" ? Reflect.get(WORDS, one.kind) : name}`,
      oninput: (/** @type {any} */ event) => { one[name] = event.target.value; this.changed(); },
    });
    const choice = () => h("select", { class: "ge-input ge-asked", "aria-label": `${column.name} is`, onchange: (/** @type {any} */ event) => { one.text = event.target.value; this.changed(); } },
      h("option", { value: "" }, "any"), ...column.choices.map((/** @type {string} */ value) => h("option", { value, selected: value === one.text }, value)));
    const hint = Reflect.get(HINTS, column.kind) ?? "";
    const fields = one.kind === "range" ? [field("low", hint || "lowest"), h("span", { class: "ge-faint" }, "to"), field("high", hint || "highest")]
      : one.kind === "missing" || one.kind === "present" ? [] : [column.choices && one.kind === "equals" ? choice() : field("text", hint)];
    const remove = () => { this.asked = this.asked.filter((other) => other !== one); this.draw(); this.changed(); this.adder.focus(); };
    return h("div", { class: "ge-condition" }, h("span", { class: "ge-condition-name", title: column.name }, column.name),
      h("select", { class: "ge-input ge-kinds", "aria-label": `how ${column.name} is asked`, onchange: choose }, ...kinds.map((kind) => h("option", { value: kind, selected: kind === one.kind }, Reflect.get(WORDS, kind)))),
      ...fields, button("✕", remove, { class: "ge-quiet", "aria-label": `No filter on ${column.name}` }));
  }
}
