// @ts-check
// Inputs for values that are one word: text, numbers, true or false, one of an enum.
import { h } from "../dom.js";
import { side_button } from "./place.js";

const CHOSEN_FROM = 120; // names in a list that opens

/** A one-line input that writes what is typed into the leaf. @param {any} leaf @param {any} place @param {string} label @param {Record<string, any>} [more] */
export function line_input(leaf, place, label, more = {}) {
  return place.holds(h("input", {
    ...place.attributes(label), type: "text", class: "ge-input", value: leaf.raw, ...more,
    oninput: (/** @type {any} */ event) => place.set(leaf, event.target.value), onchange: () => place.done(),
  }));
}

/** The same with as many lines as there are. @param {any} leaf @param {any} place @param {string} label @param {Record<string, any>} [more] */
export function area_input(leaf, place, label, more = {}) {
  const area = h("textarea", {
    ...place.attributes(label), class: "ge-input", rows: lines(leaf.raw), value: leaf.raw, ...more,
    oninput: (/** @type {any} */ event) => { event.target.rows = lines(event.target.value); place.set(leaf, event.target.value); }, onchange: () => place.done(),
  });
  return place.holds(area);
}

/** @param {string} text */
function lines(text) { return Math.max(1, Math.min(10, text.split("\n").length)); }

/** Text is one line until somebody pastes more. @param {any} leaf @param {any} place @param {string} label */
export function text_input(leaf, place, label) {
  if (/[\r\n]/.test(leaf.raw)) return area_input(leaf, place, label);
  const line = line_input(leaf, place, label, { placeholder: leaf.field.default && `default ${leaf.field.default}` });
  line.addEventListener("paste", (/** @type {ClipboardEvent} */ event) => {
    const pasted = event.clipboardData?.getData("text/plain") ?? "";
    if (!pasted.trimEnd().includes("\n")) return;
    event.preventDefault();
    place.set(leaf, line.value.slice(0, line.selectionStart) + pasted.replaceAll("\r\n", "\n") + line.value.slice(line.selectionEnd));
    const area = area_input(leaf, place, label);
    line.replaceWith(area);
    area.focus();
  });
  return line;
}

/** @param {any} leaf @param {any} place @param {string} label */
export function number_input(leaf, place, label) {
  const { kind, default: usual } = leaf.field;
  return line_input(leaf, place, label, { inputmode: kind === "int" ? "numeric" : "decimal", placeholder: usual && `default ${usual}` });
}

/** @param {any} leaf @param {any} place @param {string} label */
export function bool_input(leaf, place, label) {
  return place.holds(h("input", {
    ...place.attributes(label), type: "checkbox", class: "ge-check", checked: leaf.raw, onchange: (/** @type {any} */ event) => place.set(leaf, event.target.checked),
  }));
}

/** True, false, or not there at all. @param {any} slot @param {any} place @param {string} label @param {(present: boolean) => void} choose */
export function maybe_bool_input(slot, place, label, choose) {
  const usual = slot.field.default ? `not sent (default ${slot.field.default})` : "not sent";
  const select = selection([["", usual], ["false", "false"], ["true", "true"]], slot.present ? String(slot.cell.raw) : "", {
    ...place.attributes(label), onchange: (/** @type {any} */ event) => { choose(event.target.value !== ""); slot.cell.raw = event.target.value === "true"; place.done(); },
  });
  return place.holds(select);
}

/** @param {string[][]} options value and words @param {string} chosen @param {Record<string, any>} attributes */
export function selection(options, chosen, attributes) {
  const select = h("select", { ...attributes, class: "ge-input" }, ...options.map(([value, words, title]) => h("option", { value, title: title || null }, words)));
  select.value = chosen;
  return select;
}

/** @param {any} leaf @param {any} place @param {string} label */
export function enum_input(leaf, place, label) {
  const type = leaf.types.get(leaf.field.of) ?? { values: [] };
  const names = type.values.map((/** @type {any} */ one) => one[0]);
  if (names.length > CHOSEN_FROM) { // too many to look through: typed, and completed
    return line_input(leaf, place, label, { list: place.view.names_of(leaf.field.of, names), placeholder: leaf.field.default ? `default ${leaf.field.default}` : "name or number" });
  }
  const holder = h("div", { class: "ge-with" });
  const draw = (/** @type {boolean} */ by_number) => holder.replaceChildren(...(by_number ? by_its_number() : [by_its_name()]));
  const by_its_number = () => [
    line_input(leaf, place, `number of ${label}`, { inputmode: "numeric", placeholder: "number" }),
    side_button("☰", `names of ${label}`, () => { leaf.raw = ""; draw(false); place.edited(); place.input.focus(); }),
  ];
  const by_its_name = () => {
    const seen = new Map();
    const options = type.values.map((/** @type {any} */ [name, number, help]) => {
      const first = seen.get(number);
      if (first === undefined) seen.set(number, name);
      return [name, first === undefined ? name : `${name} = ${first}`, help];
    });
    const blank = type.values[0]?.[1] === 0 && !leaf.field.presence ? [] : [["", leaf.field.default ? `default ${leaf.field.default}` : "…"]];
    const other = type.closed ? [] : [["another", "another number …"]];
    return place.holds(selection([...blank, ...options, ...other], leaf.raw || (blank.length ? "" : names[0]), {
      ...place.attributes(label),
      onchange: (/** @type {any} */ event) => {
        if (event.target.value === "another" && !names.includes("another")) { leaf.raw = ""; draw(true); place.input.focus(); return; }
        place.set(leaf, event.target.value);
        place.done();
      },
    }));
  };
  draw(leaf.raw !== "" && !names.includes(leaf.raw));
  return holder;
}
