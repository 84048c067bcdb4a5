// @ts-check
// What has no schema: Struct, Value and ListValue, as JSON.
import { area_input } from "./controls.js";

const EXAMPLES = { struct: "{ }", list: "[ ]", value: "any JSON" };

/** @param {any} leaf @param {any} place @param {string} label */
export function free_input(leaf, place, label) {
  const kind = /** @type {keyof typeof EXAMPLES} */ (leaf.field.kind);
  return area_input(leaf, place, `${label} as JSON`, { class: "ge-input ge-wire", placeholder: EXAMPLES[kind] });
}
