// @ts-check
// A field's row: its name and type, whether it is sent, what its authors say of it, and where its input goes.
import { h } from "../dom.js";

/** The line that a comment opens. @param {any} field @param {any} place */
function help_of(field, place) {
  if (!field.help) return [null, null];
  const line = h("div", { class: "ge-hint ge-field-help", id: `${place.id}-help`, hidden: true }, field.help);
  const sign = h("button", {
    type: "button", class: "ge-ask", "aria-label": `about ${field.name}`, "aria-expanded": "false", "aria-controls": line.id, title: field.help,
    onclick: () => { line.hidden = !line.hidden; sign.setAttribute("aria-expanded", String(!line.hidden)); },
  }, "?");
  return [sign, line];
}

/**
 * @param {any} field @param {any} place @param {{ mark?: any, fold?: any, content: any, wide?: boolean }} parts
 * `mark` says whether it is sent, `fold` opens and closes what is wide
 */
export function field_row(field, place, { mark, fold, content, wide }) {
  const [sign, line] = help_of(field, place);
  const words = [field.name, " ", h("span", { class: "ge-faint" }, field.type, field.required && " · required", field.deprecated && " · deprecated")];
  const name = fold ? h("span", { class: "ge-name", onclick: (/** @type {any} */ event) => event.target !== fold && fold.click() }, fold, ...words) : h("label", { for: place.id, title: field.help || null }, ...words);
  place.below = h("div", { class: "ge-field-value" }, wide && line, content, !wide && line);
  place.element = h("div", { class: `ge-field${wide ? " ge-wide" : ""}`, data: { row: place.path } },
    h("div", { class: "ge-field-name" }, mark, h("span", {}, name), sign), place.below);
  return place.element;
}

/** A button that folds and unfolds. @param {string} label @param {boolean} open @param {(open: boolean) => void} onfold */
export function fold_button(label, open, onfold) {
  const button = h("button", { type: "button", class: "ge-fold", "aria-label": label, onclick: () => onfold(button.getAttribute("aria-expanded") !== "true") });
  set_fold(button, open);
  return button;
}

/** @param {any} button @param {boolean} open */
export function set_fold(button, open) {
  button.setAttribute("aria-expanded", String(open));
  button.textContent = open ? "▾" : "▸";
}
