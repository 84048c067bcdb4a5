// @ts-check
import { button, count, fill, h, own_keys, wire } from "./dom.js";

const WORDS = { SERVING: "serving", NOT_SERVING: "not serving", unknown: "health unknown" };

/** The server's own word on its health; nothing where it gives none. @param {{ status: string, reason: string }} health */
function sign({ status, reason }) {
  if (!status) return null;
  const well = status === "SERVING";
  const word = Reflect.get(WORDS, status) ?? status.toLowerCase();
  const title = reason || (well ? "The server's health service says SERVING." : `The server's health service says ${status}.`);
  return h("span", { class: `ge-health ${well ? "ge-well" : "ge-unwell"}`, role: "status", title }, h("i", { class: "ge-dot", "aria-hidden": "true" }), word);
}

/** @param {{ model: any, el: HTMLElement }} context */
function render({ model, el }) {
  own_keys(el);
  let open = false;
  const left = h("span", { class: "ge-collected" });
  const right = h("span", { class: "ge-foot-right" });
  const history = button("History", () => el.dispatchEvent(new CustomEvent("ge-history", { bubbles: true, detail: { open: !open } })),
    { class: "ge-quiet ge-history-toggle", "aria-expanded": "false" });
  const door = h("button", { type: "button", class: "ge-quiet ge-door", "aria-expanded": "false", title: "Look at them",
    onclick: () => el.dispatchEvent(new CustomEvent("ge-table", { bubbles: true, detail: { open: door.getAttribute("aria-expanded") !== "true" } })) });
  const run = h("span", { class: "ge-coming" });
  const none = h("span", { class: "ge-faint" }, "Nothing collected yet");
  const draw_rows = () => {
    const rows = model.get("rows");
    const coming = model.get("coming") ?? 0;
    const many = (/** @type {number} */ number, /** @type {string} */ word, /** @type {string} */ place) => [h("b", {}, count(number)), ` ${word}${number === 1 ? "" : "s"} in `, wire(place)];
    fill(door, ...many(rows, "row", "widget.responses"));
    fill(run, ...many(coming, rows ? "more row" : "row", "widget.run"));
    door.hidden = !rows;
    run.hidden = !coming;
    none.hidden = Boolean(rows || coming);
  };
  const table_opened = (/** @type {any} */ event) => {
    if (!event.target.closest?.(".ge-frame")?.contains(el)) return;
    door.setAttribute("aria-expanded", String(event.detail.open));
    if (!event.detail.open && event.target !== el) door.focus();
  };
  const draw_right = () => {
    const calls = model.get("calls");
    history.textContent = calls ? `History ${count(calls)}${calls >= 1000 ? "+" : ""}` : "History";
    const health = sign(model.get("health") ?? { status: "" });
    if (right.firstChild !== history) fill(right, history);
    while (history.nextSibling) history.nextSibling.remove();
    if (health) right.append(health);
  };
  const opened = (/** @type {any} */ event) => {
    if (!event.target.closest?.(".ge-frame")?.contains(el)) return;
    open = event.detail.open;
    history.setAttribute("aria-expanded", String(open));
    if (!open && event.target !== el) history.focus();
  };
  fill(left, none, door, run);
  fill(el, left, right);
  draw_rows();
  draw_right();
  document.addEventListener("ge-history", opened);
  document.addEventListener("ge-table", table_opened);
  model.on("change:rows", draw_rows);
  model.on("change:coming", draw_rows);
  model.on("change:calls", draw_right);
  model.on("change:health", draw_right);
  return () => {
    document.removeEventListener("ge-history", opened);
    document.removeEventListener("ge-table", table_opened);
    model.off("change:rows", draw_rows);
    model.off("change:coming", draw_rows);
    model.off("change:calls", draw_right);
    model.off("change:health", draw_right);
  };
}

export default { render };
