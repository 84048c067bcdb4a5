// @ts-check
// The drawer above the foot: what was called, and what has a name. It is told while it is open, and keeps nothing.
import { badge, button, capped, count, fill, h, own_keys, plural, tabs, wire } from "./dom.js";

const NOT_KEPT = "Of a run of many calls whoever made it has the rows; of single calls the latest 1,000 are kept, up to 64 MB.";

/** @param {number} milliseconds since the epoch */
function time_of_day(milliseconds) {
  return new Date(milliseconds).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
}

/** @param {number | null} milliseconds */
function took(milliseconds) {
  if (milliseconds === null) return "";
  return milliseconds >= 1_000 ? `${(milliseconds / 1000).toFixed(1)} s` : milliseconds >= 100 ? `${Math.round(milliseconds)} ms` : `${milliseconds.toFixed(1)} ms`;
}

/** @param {number | null} bytes */
function size(bytes) {
  if (bytes === null) return "";
  return bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : bytes >= 1000 ? `${(bytes / 1000).toFixed(1)} kB` : `${bytes} B`;
}

class Drawer {
  /** @param {any} model @param {HTMLElement} el */
  constructor(model, el) {
    this.model = model;
    this.el = el;
    this.open = false;
    this.tab = "Calls";
    /** @type {any} */ this.told = { calls: [], calls_in_all: 0, saved: [], saved_in_all: 0, problem: "", file: "", path: "" };
    /** @type {number | null} */ this.naming = null;
    this.head = h("div", { class: "ge-title-row" });
    this.body = h("div", { class: "ge-history-body" });
    el.hidden = true;
    fill(el, this.head, this.body);
  }

  /** @param {boolean} open */
  toggle(open) {
    this.open = open;
    this.naming = null;
    this.el.hidden = !open;
    this.model.send({ command: "history", open });
    if (open) this.draw();
  }

  close() { this.el.dispatchEvent(new CustomEvent("ge-history", { bubbles: true, detail: { open: false } })); }

  /** @param {any} content */
  hear(content) {
    if (content.kind !== "history") return;
    this.told = content;
    if (this.open) this.draw();
  }

  /** @param {string} command @param {Record<string, any>} more */
  send(command, more) { this.model.send({ command, ...more }); }

  draw() {
    const { calls, saved, saved_in_all, problem, file } = this.told;
    const names = ["Calls", `Saved${saved_in_all ? ` ${count(saved_in_all)}` : ""}`];
    const chosen = this.tab === "Calls" ? names[0] : names[1];
    const focused = this.body.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement).dataset.key : null;
    const typed = this.body.querySelector(".ge-save-name")?.value ?? "";
    fill(this.head, h("h4", {}, "History"), this.tab === "Saved" && file && h("span", { class: "ge-faint", title: this.told.path }, file),
      tabs("history of", names, chosen, (name) => { this.tab = name.startsWith("Saved") ? "Saved" : "Calls"; this.draw(); }),
      button("✕", () => this.close(), { class: "ge-quiet", "aria-label": "Close the history" }));
    fill(this.body, problem && h("p", { class: "ge-problem", role: "alert" }, problem),
      this.tab === "Calls" ? this.calls(calls) : this.saved(saved));
    const input = this.body.querySelector(".ge-save-name");
    if (input && typed) input.value = typed;
    if (focused) this.body.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  }

  /** @param {any[]} calls */
  calls(calls) {
    if (!calls.length) return h("p", { class: "ge-faint" }, "Nothing was called yet.");
    return h("div", {}, h("div", { class: "ge-scroll", tabindex: 0, role: "region", "aria-label": "calls" },
      h("table", { class: "ge-table ge-calls" },
        h("thead", {}, h("tr", {}, ...["time", "method", "status", "took", "size", ""].map((name) => h("th", { scope: "col", class: name === "took" || name === "size" ? "ge-number" : null }, h("div", { class: "ge-column-name" }, name))))),
        h("tbody", {}, ...calls.map((call) => this.call(call))))),
      capped("last", calls.length, this.told.calls_in_all, "calls", "widget.history"));
  }

  /** @param {any} call */
  call(call) {
    const { number } = call;
    const show = number === null ? h("span", {}, call.label)
      : button(call.label, () => this.send("show", { number }), { class: "ge-quiet ge-show", title: `Show this answer again: ${call.method}`, data: { key: `show ${number}` } });
    const streams = call.sent > 1 || call.came > 1;
    const what = streams ? h("span", { class: "ge-faint" }, ` ${call.sent > 1 ? `${plural(call.sent, "request")}, ` : ""}${plural(call.came, "answer")}`) : null;
    const actions = number === null ? h("span", { class: "ge-faint", title: NOT_KEPT }, "not kept") : h("span", { class: "ge-row-actions" },
      button("Call again", () => this.send("again", { number }), { class: "ge-quiet", data: { key: `again ${number}` } }),
      this.naming === number ? this.name_box(call) : button("Save as …", () => { this.naming = number; this.draw(); this.body.querySelector(".ge-save-name")?.focus(); }, { class: "ge-quiet", data: { key: `save ${number}` } }));
    return h("tr", {},
      h("td", { class: "ge-wire" }, time_of_day(call.at)), h("td", { title: call.method }, show, what),
      h("td", {}, badge(call.status, call.tone)), h("td", { class: "ge-number" }, took(call.milliseconds)), h("td", { class: "ge-number" }, size(call.bytes)),
      h("td", { class: "ge-actions-cell" }, actions));
  }

  /** @param {any} call */
  name_box(call) {
    const input = h("input", { class: "ge-input ge-save-name", type: "text", placeholder: "name", maxlength: 200, "aria-label": `name for this call of ${call.label}`, data: { key: "name" } });
    const done = () => { if (input.value.trim()) this.send("save", { number: call.number, name: input.value.trim() }); this.naming = null; this.tab = input.value.trim() ? "Saved" : this.tab; this.draw(); };
    input.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Enter" && !event.isComposing) { event.preventDefault(); done(); }
      if (event.key === "Escape") { event.stopPropagation(); this.naming = null; this.draw(); this.body.querySelector(`[data-key="save ${call.number}"]`)?.focus(); }
    });
    return h("span", { class: "ge-save" }, input, button("Save", done, { class: "ge-quiet" }));
  }

  /** @param {any[]} saved */
  saved(saved) {
    if (!saved.length) return h("p", { class: "ge-faint" }, "Nothing has a name yet: press “Save as …” at a call.");
    const one = (/** @type {any} */ entry) => h("tr", {},
      h("td", {}, entry.problem ? h("span", {}, entry.shown) : button(entry.shown, () => this.send("run_saved", { name: entry.name }), { class: "ge-quiet ge-show", title: "Run it" })),
      h("td", { class: entry.problem ? "ge-problem" : "ge-soft" }, entry.problem || wire(entry.method)),
      h("td", { class: "ge-actions-cell" }, h("span", { class: "ge-row-actions" },
        !entry.problem && button("Run", () => this.send("run_saved", { name: entry.name }), { class: "ge-quiet", data: { key: `run ${entry.name}` } }),
        button("Delete", () => this.send("delete_saved", { name: entry.name }), { class: "ge-quiet", "aria-label": `Delete ${entry.shown}`, data: { key: `delete ${entry.name}` } }))));
    return h("div", {}, h("div", { class: "ge-scroll", tabindex: 0, role: "region", "aria-label": "saved requests" }, h("table", { class: "ge-table ge-saved" }, h("tbody", {}, ...saved.map(one)))),
      capped("first", saved.length, this.told.saved_in_all, "names", "widget.saved"));
  }
}

/** @param {{ model: any, el: HTMLElement }} context */
function render({ model, el }) {
  own_keys(el);
  const drawer = new Drawer(model, el);
  const hear = (/** @type {any} */ content) => drawer.hear(content);
  const toggled = (/** @type {any} */ event) => { if (event.target.closest?.(".ge-frame")?.contains(el)) drawer.toggle(event.detail.open); };
  el.addEventListener("keydown", (event) => { if (event.key === "Escape") drawer.close(); });
  document.addEventListener("ge-history", toggled);
  model.on("msg:custom", hear);
  return () => { document.removeEventListener("ge-history", toggled); model.off("msg:custom", hear); };
}

export default { render };
