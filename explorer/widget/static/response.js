// @ts-check
import { badge, button, capped, fill, h, own_keys, tabs, wire } from "./dom.js";

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
function table_view({ columns, rows, total, width }) {
  if (!columns.length) return h("p", { class: "ge-faint" }, "The answer has no fields.");
  if (!rows.length) return h("p", { class: "ge-faint" }, "No rows.");
  const body = rows.map((/** @type {any[]} */ row) => h("tr", {}, ...row.map((cell, index) => table_cell(cell, columns[index]))));
  return h("div", {},
    h("div", { class: "ge-scroll", tabindex: 0, role: "region", "aria-label": "answer as a table" },
      h("table", { class: "ge-table" }, h("thead", {}, h("tr", {}, ...columns.map(heading))), h("tbody", {}, ...body))),
    capped("last", rows.length, total, "rows", "widget.responses"), capped("first", columns.length, width, "columns", "widget.responses"));
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
function text_view(text, label, kind = "") {
  const shown = h("pre", { class: "ge-wire", tabindex: 0, "aria-label": label }, text);
  return h("div", { class: `ge-text ${kind}` }, copier(shown), shown);
}

/** @param {any} answer */
function json_view({ json, json_of }) {
  return h("div", {}, text_view(json, "answer as JSON"), json_of && capped("last", json_of.drawn, json_of.total, "messages", "widget.call.json()"));
}

const LANGUAGES = { Python: "code", "Generated stub": "stub", grpcurl: "grpcurl" };

/** The call as text that makes it again, in three ways. @param {any} answer @param {{ language: string }} choice */
function code_view(answer, choice) {
  const element = h("div", {});
  const draw = () => {
    const label = `this call ${choice.language === "grpcurl" ? "as a grpcurl command" : choice.language === "Python" ? "as Python" : "as Python with a generated stub"}`;
    const which = tabs("language", Object.keys(LANGUAGES), choice.language, (name) => { choice.language = name; draw(); });
    which.classList.add("ge-languages");
    fill(element, which, text_view(answer[Reflect.get(LANGUAGES, choice.language)], label, "ge-python"));
  };
  draw();
  return element;
}

/** @param {any[]} entries names and values; null is a value that may be a secret */
function pairs(entries) {
  return h("dl", { class: "ge-pairs" }, ...entries.flatMap(([name, value]) => [
    h("dt", { class: "ge-wire" }, name),
    value === null ? h("dd", { class: "ge-faint" }, "hidden; see ", wire("widget.call")) : h("dd", { class: "ge-wire" }, value),
  ]));
}

/** @param {any} metadata */
function metadata_view({ call, initial, trailing }) {
  const part = (/** @type {string} */ title, /** @type {any[]} */ entries) => h("section", {}, h("h4", {}, title), entries.length ? pairs(entries) : h("p", { class: "ge-faint" }, "none"));
  const known = (call ?? []).flatMap((/** @type {[string, string]} */ [name, value]) => [h("dt", {}, name), h("dd", {}, value)]);
  return h("div", { class: "ge-parts" }, part("Initial metadata", initial), part("Trailing metadata", trailing),
    known.length ? h("section", {}, h("h4", {}, "This call"), h("dl", { class: "ge-pairs" }, ...known)) : null);
}

/** Bytes that are not the message they should be. @param {any} bytes */
function bytes_view(bytes) {
  const entries = [["hex", bytes.hex], ["base64", bytes.base64]].map(([name, value]) => [name, bytes.cut ? `${value} …` : value]);
  return h("div", { class: "ge-bytes" }, h("p", { class: "ge-soft" }, bytes.cut ? `${bytes.size}; the first of them:` : `${bytes.size}:`), pairs(entries));
}

/** @param {any} why @param {(command: string) => void} send */
function why_view(why, send) {
  const parts = (/** @type {any[]} */ pieces) => pieces.map((piece) => (typeof piece === "string" ? piece : wire(piece.wire)));
  const facts = why.facts.flatMap((/** @type {[string, string]} */ [name, value]) => (name ? [h("dt", {}, name), h("dd", {}, value)] : [h("dd", { class: "ge-span" }, value)]));
  return h("div", { class: `ge-why ${why.tone === "late" ? "ge-why-late" : ""}`, role: "alert" },
    h("p", { class: "ge-why-title" }, why.title),
    h("p", {}, ...parts(why.sentence)),
    facts.length ? h("dl", { class: "ge-pairs ge-details-list" }, ...facts) : null,
    why.bytes ? bytes_view(why.bytes) : null,
    why.action && button(why.action.label, () => send(why.action.command), { class: "ge-button" }));
}

/** Which tabs this answer has, and what each draws. @param {any} answer @param {(command: string) => void} send @param {{ language: string }} choice */
function pages(answer, send, choice) {
  /** @type {Record<string, () => Node>} */
  const all = {};
  if (answer.why) all["Why"] = () => why_view(answer.why, send);
  if (answer.table) all["Table"] = () => table_view(answer.table);
  if (answer.json !== null) all["JSON"] = () => json_view(answer);
  if (answer.metadata) all["Metadata"] = () => metadata_view(answer.metadata);
  if (answer.code) all["Code"] = () => code_view(answer, choice);
  return all;
}

/** @param {{ model: any, el: HTMLElement }} context */
function render({ model, el }) {
  own_keys(el);
  const head = h("div", { class: "ge-title-row ge-answer-head" });
  const body = h("div", { class: "ge-answer-body" });
  const age = h("span", { class: "ge-soft" });
  const send = (/** @type {string} */ command) => model.send({ command });
  const choice = { language: "Python" };
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
    const all = pages(answer, send, choice);
    const names = Object.keys(all);
    const whose = () => (answer.method && answer.method !== model.get("selected") ? h("span", { class: "ge-whose", title: answer.method }, `of ${answer.method.split(".").pop()}`) : null);
    const explained = wanted === "Table" && answer.why && answer.first !== "Table"; // what came is looked at before why it stopped
    const chosen = names.includes(wanted) && !explained ? wanted : names[0];
    const choose = (/** @type {string} */ name) => { wanted = name === "Why" ? "Table" : name; show(name); };
    const show = (/** @type {string} */ name) => {
      fill(head, badge(answer.badge, answer.tone), whose(), h("span", { class: "ge-facts ge-soft" }, answer.facts, age), names.length ? tabs("answer as", names, name, choose) : null);
      const aside = body.querySelector(".ge-scroll")?.scrollLeft ?? 0;
      fill(body, answer.state === "calling" && h("div", { class: "ge-bar", role: "progressbar", "aria-label": "calling" }), all[name]?.());
      const scroll = answer.state === "calling" && body.querySelector(".ge-scroll");
      if (scroll) { scroll.scrollTop = scroll.scrollHeight; scroll.scrollLeft = aside; } // what came last is what is looked at
    };
    draw_age();
    show(chosen);
  };

  fill(el, head, body);
  draw();
  const minutes = setInterval(draw_age, 30_000);
  model.on("change:answer", draw);
  model.on("change:selected", draw);
  return () => { clearInterval(minutes); model.off("change:answer", draw); model.off("change:selected", draw); };
}

export default { render };
