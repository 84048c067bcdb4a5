// @ts-check
// Timestamp and Duration: text as JSON spells it, with a picker beside it and the same in words below.
import { h } from "../dom.js";
import { line_input } from "./controls.js";
import { side_button } from "./place.js";
import { duration_of, timestamp } from "./times.js";

/** @param {any} leaf @param {any} place @param {string} label */
export function timestamp_input(leaf, place, label) {
  const words = h("div", { class: "ge-hint" });
  const picker = h("input", { type: "datetime-local", step: 1, class: "ge-picker", tabindex: -1, "aria-hidden": "true" });
  const line = line_input(leaf, place, label, { class: "ge-input ge-wire", placeholder: "2026-01-31T12:00:00Z" });
  const take = (/** @type {string} */ text) => { line.value = text; place.set(leaf, text); place.done(); tell(); };
  const tell = () => { words.textContent = leaf.raw.trim() ? in_words(leaf.raw) : ""; };
  const pick = () => {
    const { millis } = timestamp(leaf.raw);
    picker.value = new Date(Number.isNaN(millis) ? Date.now() : millis).toISOString().slice(0, 19);
    picker.showPicker();
  };
  picker.addEventListener("change", () => picker.value && take(`${picker.value.padEnd(19, ":00")}Z`));
  line.addEventListener("input", tell);
  tell();
  const now = () => take(new Date(Math.floor(Date.now() / 1000) * 1000).toISOString().replace(".000", ""));
  return h("div", {}, h("div", { class: "ge-with" }, line, picker, side_button("▦", `pick ${label}, in UTC`, pick), side_button("now", `now as ${label}`, now)), words);
}

/** @param {string} raw */
function in_words(raw) {
  const { problem, millis } = timestamp(raw);
  if (problem) return "";
  const date = new Date(millis);
  const day = date.toLocaleDateString("en-GB", { timeZone: "UTC", weekday: "short", day: "numeric", month: "short", year: "numeric" });
  return `${day}, ${date.toISOString().slice(11, 19)} UTC`;
}

/** @param {any} leaf @param {any} place @param {string} label */
export function duration_input(leaf, place, label) {
  const words = h("div", { class: "ge-hint" });
  const line = line_input(leaf, place, label, { class: "ge-input ge-wire", placeholder: "1.5s, or 1h 30m" });
  const tell = () => {
    const { problem, text } = duration_of(leaf.raw);
    words.textContent = problem || text === leaf.raw.trim() ? "" : text;
  };
  line.addEventListener("input", tell);
  tell();
  return h("div", {}, line, words);
}
