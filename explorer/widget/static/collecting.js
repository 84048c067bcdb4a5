// @ts-check
// A run of many calls: how far it is, how fast, its latest rows; Pause and Stop while it goes on.
import { badge, button, fill, h, own_keys, tabs } from "./dom.js";
import { table_view, text_view, why_view } from "./shown.js";

const OVER = ["done", "cancelled", "failed"];

class Panel {
  /** @param {any} model @param {HTMLElement} el */
  constructor(model, el) {
    this.model = model;
    this.el = el;
    this.wanted = "Rows";
    this.mark = h("span", { role: "status" });
    this.whose = h("span", { class: "ge-run-whose ge-soft" });
    this.facts = h("span", { class: "ge-run-facts ge-soft" });
    this.pause = button("Pause", () => model.send({ command: model.get("run").state === "paused" ? "resume" : "pause" }), { class: "ge-quiet ge-run-pause" });
    this.look = button("Open the table", () => model.send({ command: "table_of_run" }), { class: "ge-quiet ge-look", title: "All rows: sort, search, filter, export" });
    this.stop = button("Stop", () => model.send({ command: "stop_run" }), { class: "ge-quiet ge-run-stop" });
    this.close = button("✕", () => model.send({ command: "close_run" }), { class: "ge-quiet ge-run-close", "aria-label": "Put the run away" });
    this.pages = h("span", {});
    this.filled = h("div", {});
    this.bar = h("div", { class: "ge-progress", role: "progressbar", "aria-label": "requests answered", "aria-valuemin": 0, "aria-valuemax": 100 }, this.filled);
    this.body = h("div", { class: "ge-run-body" });
    fill(el, h("div", { class: "ge-title-row ge-answer-head" }, this.mark, this.whose, this.facts, h("span", { class: "ge-run-right" }, this.pages, this.look, this.pause, this.stop, this.close)), this.bar, this.body);
  }

  draw() {
    const run = this.model.get("run") ?? { state: "none" };
    this.el.hidden = run.state === "none";
    this.el.dataset.state = run.state;
    if (this.el.hidden) { this.wanted = "Rows"; return; }
    const over = OVER.includes(run.state);
    if (this.mark.textContent !== run.badge || this.mark.dataset.tone !== run.tone) fill(this.mark, badge(run.badge, run.tone)); // said aloud only where it is news
    this.mark.dataset.tone = run.tone;
    this.facts.textContent = run.facts;
    this.draw_whose();
    this.draw_bar(run);
    const within = this.pause === document.activeElement || this.stop === document.activeElement;
    this.pause.textContent = run.state === "paused" ? "Resume" : "Pause";
    this.pause.hidden = over || run.state === "waiting";
    this.stop.hidden = over;
    this.close.hidden = !over;
    this.look.hidden = !over || !run.table;
    this.draw_body(run, over);
    if (within && over) this.close.focus();
  }

  draw_whose() {
    const { method } = this.model.get("run");
    this.whose.textContent = method && method !== this.model.get("selected") ? `of ${method.split(".").pop()}` : "";
    this.whose.hidden = !this.whose.textContent;
    this.whose.title = method;
  }

  /** @param {any} run */
  draw_bar({ fraction, said, state, tone }) {
    const known = fraction !== null;
    this.bar.classList.toggle("ge-unmeasured", !known && state === "running");
    this.bar.dataset.tone = state === "running" ? "" : tone;
    this.filled.style.width = known ? `${fraction * 100}%` : "0";
    if (known) this.bar.setAttribute("aria-valuenow", String(Math.round(fraction * 100)));
    else this.bar.removeAttribute("aria-valuenow");
    this.bar.setAttribute("aria-valuetext", said);
  }

  /** @param {any} run @param {boolean} over */
  draw_body(run, over) {
    const send = (/** @type {string} */ command) => this.model.send({ command });
    const table = () => run.table && h("div", { class: "ge-live" }, table_view(run.table, "latest rows of the run", over ? "widget.responses" : "widget.run.frame()"));
    if (!over) {
      fill(this.pages);
      const key = JSON.stringify(run.why);
      if (this.body.dataset.why !== key) { // its button keeps the focus while the rest is drawn anew
        this.body.dataset.why = key;
        this.asking = run.why && why_view(run.why, send);
      }
      const aside = this.body.querySelector(".ge-scroll")?.scrollLeft ?? 0;
      const rows = table();
      if (this.asking && this.asking.parentNode === this.body) { this.asking.nextSibling?.remove(); this.body.append(...(rows ? [rows] : [])); }
      else fill(this.body, this.asking, rows);
      const scroll = this.body.querySelector(".ge-scroll");
      if (scroll) scroll.scrollLeft = aside;
      return;
    }
    /** @type {Record<string, () => any>} */
    const all = { ...(run.why ? { Why: () => why_view(run.why, send) } : {}), Rows: () => table() ?? h("p", { class: "ge-faint" }, "No rows."), Code: () => text_view(run.code, "this run as Python", "ge-python") };
    const names = Object.keys(all);
    const show = (/** @type {string} */ name) => {
      fill(this.pages, tabs("run as", names, name, (next) => { this.wanted = next; show(next); }));
      fill(this.body, all[name]());
    };
    show(run.why && this.wanted === "Rows" && this.body.dataset.why !== "over" ? "Why" : names.includes(this.wanted) ? this.wanted : names[0]);
    this.body.dataset.why = "over";
  }
}

/** @param {{ model: any, el: HTMLElement }} context */
function render({ model, el }) {
  own_keys(el);
  const panel = new Panel(model, el);
  panel.draw();
  const draw = () => panel.draw();
  const draw_whose = () => { if (!el.hidden) panel.draw_whose(); };
  model.on("change:run", draw);
  model.on("change:selected", draw_whose);
  return () => { model.off("change:run", draw); model.off("change:selected", draw_whose); };
}

export default { render };
