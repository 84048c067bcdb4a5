// @ts-check
import { button, fill, h, own_keys, tabs, wire } from "./dom.js";
import { Draft, field_row, general_problem, metadata_rows } from "./fields.js";

// Drafts are this page's own: what was typed leaves it with a call, and no trait holds it.
/** @type {Map<string, { draft: Draft, tab: string, text: string, timeout: string, metadata: { name: string, value: string }[] | null }>} */
const desks = new Map();
let numbered = 0;

/** @param {any} method */
function desk_of(method) {
  const known = desks.get(method.name);
  if (known) return known;
  const desk = { draft: new Draft(method.fields), tab: "Form", text: "{}", timeout: String(method.timeout), metadata: null };
  desks.set(method.name, desk);
  return desk;
}

/** @param {string} raw */
function seconds(raw) {
  const number = Number(raw);
  return raw.trim() !== "" && Number.isFinite(number) && number > 0 ? number : null;
}

/** @param {{ model: any, el: HTMLElement }} context */
function render({ model, el }) {
  own_keys(el);
  const id = `ge-request-${(numbered += 1)}-${Math.random().toString(36).slice(2, 8)}`;
  const head = h("div", { class: "ge-title-row" });
  const body = h("div", { class: "ge-body" });
  const whole = h("div");
  const actions = h("div", { class: "ge-actions" });
  const more = h("div");
  /** @type {any} */
  let method = null;
  /** @type {any} */
  let desk = null;
  /** @type {any} */
  let slow;

  const show_problems = (/** @type {Record<string, string>} */ problems) => {
    const rest = { ...problems };
    for (const row of body.querySelectorAll(".ge-field")) {
      const name = row.dataset.row;
      const key = Object.keys(rest).find((path) => path === name || path.startsWith(`${name}.`) || path.startsWith(`${name}[`));
      const sentence = key === undefined ? "" : rest[key];
      if (key !== undefined) delete rest[key];
      row.querySelector(".ge-field-problem").textContent = sentence;
      row.querySelector("[data-field]").setAttribute("aria-invalid", String(Boolean(sentence)));
    }
    const others = Object.values(rest);
    fill(whole, others.length ? general_problem({ "": others.join(" ") }) : null);
  };

  const draw_body = () => {
    if (desk.tab === "JSON") {
      fill(body, h("textarea", {
        class: "ge-input ge-wire ge-json", rows: Math.max(4, Math.min(14, desk.text.split("\n").length)), value: desk.text, spellcheck: "false",
        "aria-label": "request as JSON", oninput: (/** @type {any} */ event) => { desk.text = event.target.value; show_problems({}); },
      }));
    } else {
      const rows = method.fields.map((/** @type {any} */ field, /** @type {number} */ index) => field_row(field, desk.draft, `${id}-${index}`, edited));
      fill(body, ...rows, rows.length ? null : h("p", { class: "ge-faint" }, "This request has no fields."));
    }
  };

  const edited = () => {
    for (const field of method.fields) {
      const box = body.querySelector(`[data-row="${CSS.escape(field.name)}"] .ge-presence`);
      if (box) box.checked = desk.draft.present.has(field.name);
    }
    show_problems(desk.draft.problems());
  };

  const choose = (/** @type {string} */ tab) => {
    if (tab === desk.tab) return;
    const trouble = tab === "Form" ? desk.draft.from_json(desk.text) : "";
    if (tab === "JSON") desk.text = desk.draft.to_json();
    if (!trouble) desk.tab = tab;
    draw_head();
    draw_body();
    show_problems(trouble ? { "": trouble } : {});
  };

  const draw_head = () => fill(head,
    h("h3", { title: method.name }, method.label),
    wire(`${method.request_type} → ${method.response_type}`, { class: "ge-types", title: `${method.request_full_name} → ${method.response_full_name}` }),
    tabs("request as", ["Form", "JSON"], desk.tab, choose));

  const call = () => {
    if (!method || model.get("busy") || method.problem) return;
    const problems = desk.tab === "Form" ? desk.draft.problems() : {};
    const timeout = seconds(desk.timeout);
    if (timeout === null) problems[""] = `A deadline is a number of seconds above 0, not ${desk.timeout || "nothing"}.`;
    show_problems(problems);
    if (Object.keys(problems).length) {
      body.querySelector("[aria-invalid=true]")?.focus();
      return;
    }
    const metadata = (desk.metadata ?? []).filter((/** @type {any} */ entry) => entry.name.trim()).map((/** @type {any} */ entry) => [entry.name.trim(), entry.value]);
    model.send({ command: "call", method: method.name, request: desk.tab === "JSON" ? desk.text : desk.draft.to_json(), timeout, metadata });
  };

  const caller = button("Call", () => (model.get("busy") ? model.send({ command: "stop" }) : call()), { class: "ge-button ge-primary ge-call" });
  const draw_busy = () => {
    const busy = model.get("busy");
    clearTimeout(slow);
    caller.setAttribute("aria-busy", String(busy));
    if (!busy) caller.textContent = "Call";
    else slow = setTimeout(() => { caller.textContent = "Stop"; }, 250); // a quick answer should not make the button flicker
  };

  const draw_actions = () => {
    const deadline = h("input", {
      class: "ge-input ge-small", type: "text", inputmode: "decimal", value: desk.timeout, "aria-label": "deadline in seconds",
      oninput: (/** @type {any} */ event) => { desk.timeout = event.target.value; },
    });
    const amount = desk.metadata?.filter((/** @type {any} */ entry) => entry.name.trim()).length || "none";
    const metadata = button(`metadata ${amount}`, () => { desk.metadata = desk.metadata ? null : [{ name: "", value: "" }]; draw_actions(); },
      { class: "ge-quiet", "aria-expanded": String(Boolean(desk.metadata)) });
    caller.disabled = Boolean(method.problem);
    fill(actions, caller, h("label", { class: "ge-soft" }, "deadline ", deadline, " s"), metadata);
    fill(more, method.problem && h("p", { class: "ge-problem" }, method.problem), desk.metadata && metadata_rows(desk.metadata, draw_actions));
  };

  const draw = () => {
    method = model.get("method");
    if (!method) {
      fill(el, h("p", { class: "ge-faint ge-rest" }, "Choose a method."));
      return;
    }
    desk = desk_of(method);
    fill(el, head, method.help && h("p", { class: "ge-help" }, method.help), body, whole, actions, more);
    draw_head();
    draw_body();
    draw_actions();
    draw_busy();
    show_problems({});
  };
  const draw_problems = () => method && show_problems(model.get("problems"));

  el.addEventListener("keydown", (/** @type {any} */ event) => {
    const writing = event.target.matches("textarea");
    if (event.key !== "Enter" || !event.target.matches("input, select, textarea") || event.isComposing) return;
    if (writing && !(event.shiftKey || event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    call();
  });
  draw();
  const drawings = { "change:method": draw, "change:busy": draw_busy, "change:problems": draw_problems };
  for (const [name, drawing] of Object.entries(drawings)) model.on(name, drawing);
  return () => {
    clearTimeout(slow);
    for (const [name, drawing] of Object.entries(drawings)) model.off(name, drawing);
  };
}

export default { render };
