// @ts-check
import { Actions } from "./actions.js";
import { Desks } from "./desk.js";
import { fill, h, own_keys, tabs, wire } from "./dom.js";
import { JsonTrouble, parse_json } from "./form/json.js";
import { View } from "./form/view.js";
import { sent_metadata } from "./metadata.js";

const MOST_TEXT = 9 * 1024 * 1024; // characters; Jupyter's own limit for a message to a kernel is 10 MiB
/** @type {WeakMap<any, Desks>} */
const desks_of = new WeakMap();
let numbered = 0;

/** @param {string} raw */
function seconds(raw) {
  const number = Number(raw);
  return raw.trim() !== "" && Number.isFinite(number) && number > 0 ? number : null;
}

class Panel {
  /** @param {any} model @param {HTMLElement} el */
  constructor(model, el) {
    this.model = model;
    this.el = el;
    this.desks = desks_of.get(model) ?? new Desks((content) => model.send(content));
    desks_of.set(model, this.desks);
    this.head = h("div", { class: "ge-title-row" });
    this.body = h("div", { class: "ge-body" });
    this.whole = h("div");
    this.actions = new Actions(model, (command, more) => this.submit(command, more));
    /** @type {any} */ this.method = null;
    /** @type {any} */ this.desk = null;
    /** @type {View | null} */ this.view = null;
    this.awaited = ""; // the method whose form is to have the focus
  }

  draw() {
    this.method = this.model.get("method");
    if (!this.method) { fill(this.el, h("p", { class: "ge-faint ge-rest" }, "Choose a method.")); return; }
    this.desks.ask_again();
    this.desk = this.desks.of(this.method);
    fill(this.el, this.head, this.method.help && h("p", { class: "ge-help" }, this.method.help), this.method.note && h("p", { class: "ge-faint ge-note" }, this.method.note), this.body, this.whole, this.actions.element);
    this.draw_head();
    this.draw_body();
    this.actions.draw(this.method, this.desk);
    this.actions.busy();
    this.say([]);
    const { awaited } = this;
    this.awaited = "";
    if (awaited === this.method.name) this.fill_in(awaited);
  }

  /** The first field of this method's form, now or once it is there. @param {string} method */
  fill_in(method) {
    const is_there = this.method?.name === method;
    this.awaited = is_there ? "" : method;
    if (!is_there) return;
    const fields = ":is(input, textarea, select, button):not(:disabled)";
    /** @type {any} */ (this.body.querySelector(fields) ?? this.actions.element.querySelector(fields))?.focus();
  }

  draw_head() {
    const { label, name, request_type, response_type, request_full_name, response_full_name } = this.method;
    fill(this.head, h("h3", { title: name }, label),
      wire(`${request_type} → ${response_type}`, { class: "ge-types", title: `${request_full_name} → ${response_full_name}` }),
      tabs("request as", ["Form", "JSON"], this.desk.tab, (tab) => this.choose(tab)));
  }

  draw_body() {
    this.view = null;
    if (this.desk.tab === "JSON") { fill(this.body, this.area()); return; }
    const id = `ge-request-${(numbered += 1)}-${Math.random().toString(36).slice(2, 8)}`;
    const around = { onedit: () => this.say([]), type_names: (/** @type {any} */ then) => this.desks.type_names(then), response: this.method.response_full_name };
    this.view = new View(this.desk.draft, id, around);
    fill(this.body, this.view.element);
  }

  area() {
    const { desk } = this;
    return h("textarea", {
      class: "ge-input ge-wire ge-json", rows: Math.max(8, Math.min(18, desk.text.split("\n").length)), value: desk.text, spellcheck: "false",
      "aria-label": "request as JSON", oninput: (/** @type {any} */ event) => { desk.text = event.target.value; this.say([]); },
    });
  }

  /** @param {string} tab */
  choose(tab) {
    const { desk } = this;
    if (tab === desk.tab) return;
    if (tab === "JSON" && desk.draft.problems().some((/** @type {any} */ { lossy }) => lossy) && !this.is_sendable()) return; // a key given twice would be lost
    const trouble = tab === "Form" ? desk.draft.from_json(desk.text) : null;
    if (trouble) { this.json_trouble(trouble); return; }
    if (tab === "JSON") desk.text = desk.draft.to_json();
    desk.tab = tab;
    this.draw_head();
    this.draw_body();
    this.say([]);
  }

  /** @param {Error} trouble */
  json_trouble(trouble) {
    this.say([trouble.message]);
    const area = this.body.querySelector("textarea");
    area?.setAttribute("aria-invalid", "true");
    area?.focus();
    if (trouble instanceof JsonTrouble) area?.setSelectionRange(trouble.at, trouble.at + 1);
  }

  /** What belongs to no field. @param {string[]} sentences */
  say(sentences) {
    this.body.querySelector(".ge-json")?.removeAttribute("aria-invalid");
    fill(this.whole, sentences.length ? h("div", { class: "ge-trouble", role: "alert" }, ...sentences.map((sentence) => h("p", {}, sentence))) : null);
  }

  /** Whether the form holds nothing wrong; where it does, that is shown and has the focus. */
  is_sendable() {
    const problems = this.desk.draft.problems();
    this.say(this.view?.show(problems).map(({ sentence }) => sentence) ?? []);
    if (problems.length) this.view?.focus_first();
    return !problems.length;
  }

  /** The request as JSON text, or null where something is wrong with it, which is said. */
  request() {
    if (this.desk.tab === "Form") return this.is_sendable() ? this.desk.draft.to_json() : null;
    if (this.method.streams) return this.desk.text; // a list, or a message after the other: Python reads all of these
    try {
      parse_json(this.desk.text.trim() || "{}");
      return this.desk.text;
    } catch (error) {
      this.json_trouble(/** @type {Error} */ (error));
      return null;
    }
  }

  /** Sends the request, if nothing is wrong with it. @param {string} command @param {Record<string, any>} [more] */
  submit(command, more = {}) {
    const { desk, method } = this;
    if (!method || method.problem || (command === "call" && this.model.get("busy"))) return false;
    const { text, ...others } = more;
    const request = text ?? this.request();
    if (request === null) {
      this.el.dispatchEvent(new CustomEvent("ge-refused", { bubbles: true }));
      return false;
    }
    const many = text !== undefined || (command === "send" && desk.tab === "JSON");
    const timeout = seconds(desk.timeout);
    if (timeout === null) this.say([`A deadline is a number of seconds above 0, not ${desk.timeout || "nothing"}.`]);
    else if (request.length > MOST_TEXT) this.say([`This request has ${(request.length / 1048576).toFixed(1)} MiB as JSON; the page can hand at most 9 MiB to Python. Python itself has no such limit.`]);
    else this.model.send({ command, method: method.name, request, timeout, metadata: sent_metadata(desk.metadata), ...(command === "send" ? { many } : {}), ...others });
    return timeout !== null && request.length <= MOST_TEXT;
  }

  /** What Python or the server found wrong, by path; what has no field here stands above. */
  draw_problems() {
    if (!this.method) return;
    const given = Object.entries(this.model.get("problems"));
    const found = given.map(([path, sentence]) => ({ path, sentence, ...(this.view ? this.desk.draft.find(path) : { things: [], rest: "" }) }));
    const homeless = this.view ? [...found.filter(({ things }) => !things.length), ...this.view.show(found.filter(({ things }) => things.length))] : found;
    if (this.actions.element.contains(document.activeElement)) this.view?.focus_first(); // nobody is writing elsewhere
    this.say(homeless.map(({ path, sentence }) => (!path || sentence.includes(path) ? sentence : `${path}: ${sentence}`)));
  }

  /** An earlier request on this desk again; one that the form cannot show is shown as JSON. @param {{ method: string, request: string, many: boolean }} content */
  lay_out({ method, request, many }) {
    if (this.method?.name !== method) return;
    const { desk } = this;
    desk.text = request;
    desk.tab = many || desk.draft.from_json(request) ? "JSON" : "Form";
    this.draw_head();
    this.draw_body();
    this.say([]);
  }

  /** @param {any} event */
  key(event) {
    if (event.key !== "Enter" || event.isComposing || event.defaultPrevented) return;
    const strong = event.ctrlKey || event.metaKey;
    const in_line = event.target.matches("input:not([type=checkbox], [type=radio], [type=file]), select") || (event.target.matches("textarea") && event.shiftKey);
    if (!strong && !in_line) return;
    event.preventDefault();
    this.submit(this.method?.streams ? "send" : "call");
  }
}

/** @param {{ model: any, el: HTMLElement }} context */
function render({ model, el }) {
  own_keys(el);
  const panel = new Panel(model, el);
  el.addEventListener("keydown", (event) => panel.key(event));
  panel.draw();
  /** @type {Record<string, (content?: any) => void>} */
  const drawings = {
    "change:method": () => panel.draw(), "change:busy": () => panel.actions.busy(), "change:problems": () => panel.draw_problems(),
    "change:flow": () => panel.actions.flow(), "change:collecting": () => panel.actions.each.draw_foot(),
    "msg:custom": (content) => (content.kind === "request" ? panel.lay_out(content) : content.kind === "sources" ? panel.actions.each.hear(content) : panel.desks.told(content)),
  };
  const fill_in = (/** @type {any} */ event) => { if (event.target.closest?.(".ge-frame")?.contains(el)) panel.fill_in(event.detail.method); };
  for (const [name, drawing] of Object.entries(drawings)) model.on(name, drawing);
  document.addEventListener("ge-fill", fill_in);
  return () => {
    document.removeEventListener("ge-fill", fill_in);
    panel.actions.close();
    for (const [name, drawing] of Object.entries(drawings)) model.off(name, drawing);
  };
}

export default { render };
