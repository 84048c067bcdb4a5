// @ts-check
import { badge, button, copy_button, count, fill, h, own_keys, tabs, wire } from "./dom.js";

/** @param {number} milliseconds since the epoch, by the kernel's clock; only its order of magnitude is shown */
function ago(milliseconds) {
  const seconds = (Date.now() - milliseconds) / 1000;
  if (seconds < 45) return "just now";
  if (seconds < 5400) return `${Math.max(1, Math.round(seconds / 60))} min ago`;
  return new Date(milliseconds).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

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

/** @param {any} table */
function table_view({ columns, rows, total }) {
  if (!columns.length) return h("p", { class: "ge-faint" }, "The answer has no fields.");
  if (!rows.length) return h("p", { class: "ge-faint" }, "No rows.");
  const body = rows.map((/** @type {any[]} */ row) => h("tr", {}, ...row.map((cell, index) => table_cell(cell, columns[index]))));
  return h("div", {},
    h("div", { class: "ge-scroll", tabindex: 0, role: "region", "aria-label": "answer as a table" },
      h("table", { class: "ge-table" }, h("thead", {}, h("tr", {}, ...columns.map(heading))), h("tbody", {}, ...body))),
    total > rows.length && h("p", { class: "ge-faint ge-cap" }, `The last ${count(rows.length)} of ${count(total)} rows are drawn; all are in `, wire("widget.responses"), "."));
}

/** @param {string} text @param {string} label @param {string} [kind] */
function text_view(text, label, kind = "") {
  return h("div", { class: `ge-text ${kind}` }, copy_button(() => text), h("pre", { class: "ge-wire", tabindex: 0, "aria-label": label }, text));
}

/** @param {any} metadata */
function metadata_view({ initial, trailing }) {
  const part = (/** @type {string} */ title, /** @type {any[]} */ entries) => h("section", {},
    h("h4", {}, title),
    entries.length
      ? h("dl", { class: "ge-pairs" }, ...entries.flatMap(([name, value]) => [
        h("dt", { class: "ge-wire" }, name),
        value === null ? h("dd", { class: "ge-faint" }, "hidden; see ", wire("widget.call")) : h("dd", { class: "ge-wire" }, value),
      ]))
      : h("p", { class: "ge-faint" }, "none"));
  return h("div", {}, part("Initial", initial), part("Trailing", trailing));
}

/** @param {any} why @param {(command: string) => void} send */
function why_view(why, send) {
  const parts = (/** @type {any[]} */ pieces) => pieces.map((piece) => (typeof piece === "string" ? piece : wire(piece.wire)));
  const facts = why.facts.map((/** @type {[string, string]} */ [name, value]) => h("li", {}, name && h("b", {}, `${name}: `), value));
  return h("div", { class: `ge-why ${why.tone === "late" ? "ge-why-late" : ""}`, role: "alert" },
    h("p", { class: "ge-why-title" }, why.title),
    h("p", {}, ...parts(why.sentence)),
    facts.length ? h("ul", {}, ...facts) : null,
    why.action && button(why.action.label, () => send(why.action.command), { class: "ge-button" }));
}

/** Which tabs this answer has, and what each draws. @param {any} answer @param {(command: string) => void} send */
function pages(answer, send) {
  /** @type {Record<string, () => Node>} */
  const all = {};
  if (answer.why) all["Why"] = () => why_view(answer.why, send);
  if (answer.table) all["Table"] = () => table_view(answer.table);
  if (answer.json !== null) all["JSON"] = () => text_view(answer.json, "answer as JSON");
  if (answer.metadata) all["Metadata"] = () => metadata_view(answer.metadata);
  if (answer.code) all["Code"] = () => text_view(answer.code, "this call as Python", "ge-python");
  return all;
}

/** @param {{ model: any, el: HTMLElement }} context */
function render({ model, el }) {
  own_keys(el);
  const head = h("div", { class: "ge-title-row ge-answer-head" });
  const body = h("div", { class: "ge-answer-body" });
  const age = h("span", { class: "ge-soft" });
  const send = (/** @type {string} */ command) => model.send({ command });
  let wanted = "Table";

  const draw_age = () => {
    const { at } = model.get("answer");
    age.textContent = at ? `${model.get("answer").facts ? " · " : ""}${ago(at)}` : "";
    age.title = at ? new Date(at).toLocaleString() : "";
  };
  const draw = () => {
    const answer = model.get("answer");
    el.dataset.state = answer.state;
    if (answer.state === "none") {
      fill(head);
      fill(body, h("p", { class: "ge-faint" }, answer.hint));
      return;
    }
    const all = pages(answer, send);
    const names = Object.keys(all);
    const chosen = names.includes(wanted) && !(wanted === "Table" && answer.why) ? wanted : names[0];
    const choose = (/** @type {string} */ name) => { wanted = name === "Why" ? "Table" : name; show(name); };
    const show = (/** @type {string} */ name) => {
      fill(head, badge(answer.badge, answer.tone), h("span", { class: "ge-facts ge-soft" }, answer.facts, age), names.length ? tabs("answer as", names, name, choose) : null);
      fill(body, answer.state === "calling" && h("div", { class: "ge-bar", role: "progressbar", "aria-label": "calling" }), all[name]?.());
    };
    draw_age();
    show(chosen);
  };

  fill(el, head, body);
  draw();
  const minutes = setInterval(draw_age, 30_000);
  model.on("change:answer", draw);
  return () => { clearInterval(minutes); model.off("change:answer", draw); };
}

export default { render };
