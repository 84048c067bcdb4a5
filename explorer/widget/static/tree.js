// @ts-check
import { fill, h, own_keys } from "./dom.js";

/** @param {any} method @param {string} service */
function method_row(method, service) {
  return h("div", {
    class: "ge-method", role: "treeitem", tabindex: -1, title: method.name,
    data: { name: method.name, search: `${service}/${method.label} ${method.name}`.toLowerCase() },
    "aria-disabled": method.problem ? "true" : null,
  }, h("span", { class: "ge-label" }, method.label), h("span", { class: "ge-kind" }, method.kind));
}

/** @param {any} service */
function service_group(service) {
  return h("div", { class: "ge-service", role: "group", "aria-label": service.name },
    h("div", { class: "ge-service-name", title: service.name }, service.label),
    service.problem && h("div", { class: "ge-problem", title: service.problem }, service.problem),
    ...service.methods.map((/** @type {any} */ method) => method_row(method, service.label)));
}

/** @param {{ model: any, el: HTMLElement }} context */
function render({ model, el }) {
  own_keys(el);
  const search = h("input", { type: "search", class: "ge-input", placeholder: "Search methods", "aria-label": "Search methods", spellcheck: "false" });
  const list = h("div", { class: "ge-list", role: "tree", "aria-label": "services and methods" });
  const none = h("div", { class: "ge-faint ge-none", role: "status" });
  const rows = () => /** @type {HTMLElement[]} */ ([...list.querySelectorAll(".ge-method:not([hidden])")]);

  const mark = () => {
    const chosen = model.get("selected");
    for (const row of list.querySelectorAll(".ge-method")) {
      const is_it = row.dataset.name === chosen;
      row.setAttribute("aria-selected", String(is_it));
      row.tabIndex = is_it ? 0 : -1;
    }
    const all = rows();
    if (all.length && !all.some((row) => row.tabIndex === 0)) all[0].tabIndex = 0;
  };
  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    for (const group of list.children) {
      let inside = 0;
      for (const row of group.querySelectorAll(".ge-method")) {
        row.hidden = !words.every((/** @type {string} */ word) => row.dataset.search.includes(word));
        inside += row.hidden ? 0 : 1;
      }
      group.hidden = words.length > 0 && inside === 0;
      found += inside;
    }
    none.textContent = words.length && !found ? "No method has that in its name." : list.children.length ? "" : "No services.";
    mark();
  };
  const draw = () => { fill(list, ...model.get("services").map(service_group)); filter(); };
  const choose = (/** @type {HTMLElement | null} */ row) => row && model.send({ command: "select", method: row.dataset.name });
  const go = (/** @type {Element | null} */ from, /** @type {number} */ step) => {
    const all = rows();
    const next = all[Math.min(all.length - 1, Math.max(0, all.indexOf(/** @type {any} */ (from)) + step))];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
  };

  search.addEventListener("input", filter);
  search.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "ArrowDown") { event.preventDefault(); go(null, 1); }
    if (event.key === "Enter") choose(rows()[0] ?? null);
    if (event.key === "Escape") { search.value = ""; filter(); }
  });
  list.addEventListener("click", (/** @type {any} */ event) => choose(event.target.closest(".ge-method")));
  list.addEventListener("keydown", (/** @type {any} */ event) => {
    const row = event.target.closest(".ge-method");
    if (event.key === "ArrowDown") { event.preventDefault(); go(row, 1); }
    if (event.key === "ArrowUp") { event.preventDefault(); go(row, -1); }
    if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(row); }
  });

  fill(el, search, none, list);
  draw();
  model.on("change:services", draw);
  model.on("change:selected", mark);
  return () => { model.off("change:services", draw); model.off("change:selected", mark); };
}

export default { render };
