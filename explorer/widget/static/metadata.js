// @ts-check
// Metadata to send with a call.
import { h } from "./dom.js";

/**
 * Rows of metadata to send. Values are masked but for a few harmless names, and leave this page only with a call.
 * @param {{ name: string, value: string }[]} entries @param {() => void} onedit rows came or went
 * @param {() => void} onname a name was typed
 * @param {string[]} open names whose values anybody may read, as Python's own list has them
 */
export function metadata_rows(entries, onedit, onname, open) {
  const type_of = (/** @type {string} */ name) => (open.includes(name.trim().toLowerCase()) ? "text" : "password");
  const hint_of = (/** @type {string} */ name) => (name.trim().toLowerCase().endsWith("-bin") ? "base64" : "value");
  const one = (/** @type {{ name: string, value: string }} */ entry, /** @type {number} */ index) => {
    const value = h("input", {
      class: "ge-input", type: type_of(entry.name), value: entry.value, placeholder: hint_of(entry.name), spellcheck: "false", autocomplete: "off",
      "aria-label": `value of ${entry.name || "metadata"}`, oninput: (/** @type {any} */ event) => { entry.value = event.target.value; },
    });
    const name = h("input", {
      class: "ge-input ge-wire", type: "text", value: entry.name, placeholder: "name", spellcheck: "false", autocomplete: "off", "aria-label": "metadata name",
      oninput: (/** @type {any} */ event) => { entry.name = event.target.value; value.type = type_of(entry.name); value.placeholder = hint_of(entry.name); onname(); },
    });
    const remove = h("button", { type: "button", class: "ge-side", "aria-label": `remove ${entry.name || "this"}`, onclick: () => { entries.splice(index, 1); onedit(); } }, "✕");
    return h("div", { class: "ge-metadata-row" }, name, value, remove);
  };
  const add = h("button", { type: "button", class: "ge-side ge-add", onclick: () => { entries.push({ name: "", value: "" }); onedit(); } }, "+ Add metadata");
  return h("div", { class: "ge-metadata" }, ...entries.map(one), add);
}

/** What a call carries of it. @param {{ name: string, value: string }[]} entries */
export function sent_metadata(entries) {
  return entries.filter((entry) => entry.name.trim()).map((entry) => [entry.name.trim(), entry.value]);
}
