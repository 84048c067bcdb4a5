// @ts-check
// What an answer and a run are shown by: a table, a text to copy, and why something did not work.
import { badge, button, capped, h, wire } from "./dom.js";

/** @param {any} column */
function heading(column) {
  return h("th", { scope: "col", class: column.numeric ? "ge-number" : null }, h("div", { class: "ge-column-name" }, column.name), h("div", { class: "ge-dtype" }, column.dtype));
}

/** @param {string | null} cell @param {any} column */
function table_cell(cell, column) {
  if (cell === null) return h("td", { class: `ge-na ${column.numeric ? "ge-number" : ""}` }, "NA");
  if (column.name === "status_code") return h("td", {}, badge(cell, cell === "OK" ? "good" : "bad"));
  return h("td", { class: column.numeric ? "ge-number" : column.wire ? "ge-wire" : null, title: cell.length > 60 ? cell : null }, cell);
}

/** @param {any} table @param {string} label what it is, for those who do not see it @param {string} [place] where all of it is */
export function table_view({ columns, rows, total, width }, label, place = "widget.responses") {
  if (!columns.length) return h("p", { class: "ge-faint" }, "The answer has no fields.");
  if (!rows.length) return h("p", { class: "ge-faint" }, "No rows.");
  const body = rows.map((/** @type {any[]} */ row) => h("tr", {}, ...row.map((cell, index) => table_cell(cell, columns[index]))));
  return h("div", {},
    h("div", { class: "ge-scroll", tabindex: 0, role: "region", "aria-label": label },
      h("table", { class: "ge-table" }, h("thead", {}, h("tr", {}, ...columns.map(heading))), h("tbody", {}, ...body))),
    capped("last", rows.length, total, "rows", place), capped("first", columns.length, width, "columns", place));
}

/** Copies, and where the browser does not allow that, selects the text for the person to copy. @param {HTMLElement} shown */
function copier(shown) {
  const select = () => {
    const range = document.createRange();
    range.selectNodeContents(shown);
    getSelection()?.removeAllRanges();
    getSelection()?.addRange(range);
  };
  const element = button("Copy", async () => {
    try {
      await navigator.clipboard.writeText(shown.textContent ?? "");
      element.textContent = "Copied";
    } catch {
      select();
      element.textContent = "Selected: press Ctrl+C";
    }
    setTimeout(() => { element.textContent = "Copy"; }, 2500);
  }, { class: "ge-quiet ge-copy" });
  return element;
}

/** @param {string} text @param {string} label @param {string} [kind] */
export function text_view(text, label, kind = "") {
  const shown = h("pre", { class: "ge-wire", tabindex: 0, "aria-label": label }, text);
  return h("div", { class: `ge-text ${kind}` }, copier(shown), shown);
}

/** @param {any[]} entries names and values; null is a value that may be a secret */
export function pairs(entries) {
  return h("dl", { class: "ge-pairs" }, ...entries.flatMap(([name, value]) => [
    h("dt", { class: "ge-wire" }, name),
    value === null ? h("dd", { class: "ge-faint" }, "hidden; see ", wire("widget.call")) : h("dd", { class: "ge-wire" }, value),
  ]));
}

/** Bytes that are not the message they should be. @param {any} bytes */
function bytes_view(bytes) {
  const entries = [["hex", bytes.hex], ["base64", bytes.base64]].map(([name, value]) => [name, bytes.cut ? `${value} …` : value]);
  return h("div", { class: "ge-bytes" }, h("p", { class: "ge-soft" }, bytes.cut ? `${bytes.size}; the first of them:` : `${bytes.size}:`), pairs(entries));
}

/** @param {any} why @param {(command: string) => void} send */
export function why_view(why, send) {
  const parts = (/** @type {any[]} */ pieces) => pieces.map((piece) => (typeof piece === "string" ? piece : wire(piece.wire)));
  const facts = why.facts.flatMap((/** @type {[string, string]} */ [name, value]) => (name ? [h("dt", {}, name), h("dd", {}, value)] : [h("dd", { class: "ge-span" }, value)]));
  return h("div", { class: `ge-why ${why.tone === "late" ? "ge-why-late" : ""}`, role: "alert" },
    h("p", { class: "ge-why-title" }, why.title),
    h("p", {}, ...parts(why.sentence)),
    facts.length ? h("dl", { class: "ge-pairs ge-details-list" }, ...facts) : null,
    why.bytes ? bytes_view(why.bytes) : null,
    why.action && button(why.action.label, () => send(why.action.command), { class: "ge-button" }));
}
