// @ts-check
import { button, count, fill, h, own_keys } from "./dom.js";
import { fit, humps_of } from "./found.js";

let noted = 0;

/** What the panel knows of one method: its row, and what it is found by. */
class Entry {
  /** @param {any} method @param {string} service */
  constructor(method, service) {
    this.name = method.name;
    this.humps = humps_of(method.label);
    this.label = method.label.toLowerCase();
    this.whole = `${service}/${method.label} ${method.name}`.toLowerCase();
    this.messages = String(method.messages ?? "").split(" ").map((name) => ({ name, plain: name.toLowerCase(), humps: humps_of(name) }));
    this.kind = method.kind;
    this.note = h("span", { class: "ge-kind" }, method.kind);
    this.row = h("div", {
      class: "ge-method", role: "treeitem", tabindex: -1, title: method.name, "aria-level": 2, data: { name: method.name },
      "aria-disabled": method.problem ? "true" : null,
    }, h("span", { class: "ge-label" }, method.label), this.note);
  }

  /** How well it fits all words, 0 for not; beside it stands the message that it was found by, if it was. @param {string[]} words */
  rank(words) {
    let worst = 4;
    let by = "";
    for (const word of words) {
      let rank = fit(word, this.label, this.humps, this.whole);
      if (!rank) {
        const message = this.messages.find(({ plain, humps }) => fit(word, plain, humps, plain));
        rank = message ? 0.5 : 0;
        by = message?.name ?? by;
      }
      worst = Math.min(worst, rank);
    }
    const note = worst && by ? by : this.kind;
    if (this.note.textContent !== note) this.note.textContent = note;
    return words.length ? worst : 1;
  }

  /** @param {boolean} shown */
  show(shown) { if (this.row.hidden === shown) this.row.hidden = !shown; }
}

/** A service: its name, which folds it, what is wrong with it, and its methods. */
class Group {
  /** @param {any} service @param {boolean} folded */
  constructor(service, folded) {
    this.name = service.name;
    this.whole = `${service.name} ${service.label}`.toLowerCase();
    this.humps = humps_of(service.label);
    this.entries = service.methods.map((/** @type {any} */ method) => new Entry(method, service.label));
    this.head = h("div", { class: "ge-service-name", role: "treeitem", "aria-level": 1, tabindex: -1, title: service.name, data: { service: service.name } }, h("span", { class: "ge-label" }, service.label));
    if (service.note) this.head.append(h("span", { class: "ge-repaired", title: service.note, "aria-hidden": "true" }, "◐"));
    this.note = service.note && h("span", { class: "ge-aloud", id: `ge-note-${(noted += 1)}-${Math.random().toString(36).slice(2, 8)}` }, service.note);
    if (this.note) this.head.setAttribute("aria-describedby", this.note.id);
    this.problem = service.problem && h("div", { class: "ge-problem", title: service.problem }, service.problem);
    this.inside = h("div", { role: "group" }, ...this.entries.map((/** @type {Entry} */ entry) => entry.row));
    this.element = h("div", { class: "ge-service" }, this.head, this.note, this.problem, this.inside);
    this.fold(folded);
  }

  /** @param {boolean} folded */
  fold(folded) {
    this.folded = folded && this.entries.length > 0;
    if (this.entries.length) this.head.setAttribute("aria-expanded", String(!this.folded));
    this.inside.hidden = this.folded;
  }

  /** Shows what fits, and says how many do and which the best. @param {string[]} words */
  filter(words) {
    let found = 0;
    /** @type {{ entry: Entry | null, rank: number }} */
    let best = { entry: null, rank: 0 };
    for (const entry of this.entries) {
      const rank = entry.rank(words);
      entry.show(rank > 0);
      if (rank > 0) found += 1;
      if (rank > best.rank) best = { entry, rank };
    }
    // A broken service has no methods: it is found by its own name.
    const own = !this.entries.length && words.every((word) => fit(word, this.whole, this.humps, this.whole) > 0);
    this.element.hidden = words.length > 0 && !found && !own;
    this.inside.hidden = words.length === 0 && Boolean(this.folded);
    return { found, best };
  }
}

class Tree {
  /** @param {any} model @param {HTMLElement} el */
  constructor(model, el) {
    this.model = model;
    this.el = el;
    /** @type {Group[]} */ this.groups = [];
    /** @type {Set<string>} */ this.folded = new Set();
    /** @type {Entry | null} */ this.best = null;
    this.search = h("input", {
      type: "search", class: "ge-input", placeholder: "Search methods", "aria-label": "Search methods", title: "Press / to come here", spellcheck: "false",
      oninput: () => this.filter(), onkeydown: (/** @type {KeyboardEvent} */ event) => this.search_key(event),
    });
    this.list = h("div", {
      class: "ge-list", role: "tree", "aria-label": "services and methods", onclick: (/** @type {any} */ event) => this.click(event.target),
      onkeydown: (/** @type {any} */ event) => this.key(event),
    });
    this.none = h("div", { class: "ge-faint ge-none", role: "status" });
    this.again = button("⟳", () => this.model.send({ command: "rediscover" }), { class: "ge-quiet ge-again", "aria-label": "Look again", title: "Look again: ask the server anew what it serves" });
    this.said = h("div", { class: "ge-looking", role: "status" });
    fill(el, h("div", { class: "ge-search-row" }, this.search, this.again), this.said, this.none, this.list);
  }

  looking() {
    const { busy, sentence } = this.model.get("looking");
    this.again.disabled = busy;
    this.said.textContent = busy ? "" : sentence;
  }

  draw() {
    this.groups = this.model.get("services").map((/** @type {any} */ service) => new Group(service, this.folded.has(service.name)));
    fill(this.list, ...this.groups.map((group) => group.element));
    this.filter();
  }

  filter() {
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let [found, all] = [0, 0];
    let best = { entry: /** @type {Entry | null} */ (null), rank: 0 };
    for (const group of this.groups) {
      const inside = group.filter(words);
      found += inside.found;
      all += group.entries.length;
      if (inside.best.rank > best.rank) best = inside.best;
    }
    const broken = words.length > 0 && this.groups.some((group) => !group.entries.length && !group.element.hidden);
    if (words.length) this.none.textContent = found ? `${count(found)} of ${count(all)}` : broken ? "" : "No method has that in its name.";
    else this.none.textContent = this.groups.length ? "" : "No services.";
    this.best?.row.classList.remove("ge-best");
    this.best = words.length ? best.entry : null;
    this.best?.row.classList.add("ge-best"); // what Enter takes
    if (this.best) this.bring(this.best.row);
    this.mark();
  }

  /** Scrolls the list, and nothing around it. @param {any} row */
  bring(row) {
    const [inside, around] = [row.getBoundingClientRect(), this.list.getBoundingClientRect()];
    if (inside.top < around.top || inside.bottom > around.bottom) this.list.scrollTop += inside.top - around.top - 32;
  }

  mark() {
    const chosen = this.model.get("selected");
    const stops = this.stops();
    for (const group of this.groups) {
      group.head.tabIndex = -1;
      for (const { row, name } of group.entries) {
        const is_it = name === chosen;
        if (is_it !== (row.getAttribute("aria-selected") === "true") || !row.hasAttribute("aria-selected")) row.setAttribute("aria-selected", String(is_it));
        row.tabIndex = -1;
      }
    }
    const first = stops.find((row) => row.dataset.name === chosen) ?? stops[0]; // one stop for the whole tree
    if (first) first.tabIndex = 0;
  }

  /** Whatever the arrow keys go to, from top to bottom. @returns {any[]} */
  stops() {
    return this.groups.flatMap((group) => {
      if (group.element.hidden) return [];
      return [group.head, ...(group.inside.hidden ? [] : group.entries.map((/** @type {Entry} */ entry) => entry.row).filter((/** @type {any} */ row) => !row.hidden))];
    });
  }

  /** @param {any} target */
  click(target) {
    const head = target.closest(".ge-service-name");
    if (head) this.fold(head);
    else this.choose(target.closest(".ge-method"));
  }

  /** @param {any} head @param {boolean} [folded] */
  fold(head, folded) {
    const group = this.groups.find((one) => one.head === head);
    if (!group) return;
    group.fold(folded ?? !group.folded);
    if (group.folded) this.folded.add(group.name);
    else this.folded.delete(group.name);
    this.mark();
  }

  /** @param {any} row */
  choose(row) { if (row) this.model.send({ command: "select", method: row.dataset.name }); }

  /** Chooses a method, whose form has the focus then. @param {any} row */
  take(row) {
    if (!row) return;
    this.choose(row);
    this.el.dispatchEvent(new CustomEvent("ge-fill", { bubbles: true, detail: { method: row.dataset.name } }));
  }

  /** @param {any} row */
  go(row) {
    row?.focus();
    row?.scrollIntoView({ block: "nearest" });
  }

  /** @param {KeyboardEvent} event */
  search_key(event) {
    if (event.key === "ArrowDown") {
      event.preventDefault();
      this.go(this.best?.row ?? this.stops().find((row) => row.dataset.name) ?? null);
    }
    if (event.key === "Enter") this.take(this.best?.row ?? this.stops().find((row) => row.dataset.name) ?? null);
    if (event.key === "Escape" && this.search.value) { event.preventDefault(); this.search.value = ""; this.filter(); }
  }

  /** Keys as in any tree. @param {any} event */
  key(event) {
    const row = event.target.closest("[role=treeitem]");
    const stops = this.stops();
    const at = stops.indexOf(row);
    const head = row?.matches(".ge-service-name");
    /** @type {Record<string, () => void>} */
    const keys = {
      ArrowDown: () => this.go(stops[Math.min(stops.length - 1, at + 1)]),
      ArrowUp: () => (at > 0 ? this.go(stops[at - 1]) : this.search.focus()),
      Home: () => this.go(stops[0]),
      End: () => this.go(stops[stops.length - 1]),
      ArrowLeft: () => (head ? this.fold(row, true) : this.go(row.closest(".ge-service").querySelector(".ge-service-name"))),
      ArrowRight: () => (head && row.getAttribute("aria-expanded") === "false" ? this.fold(row, false) : this.go(stops[Math.min(stops.length - 1, at + 1)])),
      Enter: () => this.click(row),
      " ": () => this.click(row),
      Escape: () => this.search.focus(),
    };
    if (!row || !keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    keys[event.key]();
  }

  /** From anywhere in the explorer where nobody is writing. @param {KeyboardEvent} event */
  slash(event) {
    const target = /** @type {any} */ (event.target);
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || target.matches?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable=true]")) return;
    const explorer = this.el.closest(".grpc-explorer");
    if (!explorer?.contains(target) || !this.search.offsetParent) return;
    event.preventDefault();
    event.stopPropagation();
    this.search.focus();
    this.search.select();
  }
}

/** @param {{ model: any, el: HTMLElement }} context */
function render({ model, el }) {
  own_keys(el);
  const tree = new Tree(model, el);
  const draw = () => tree.draw();
  const mark = () => tree.mark();
  const slash = (/** @type {KeyboardEvent} */ event) => tree.slash(event);
  const looking = () => tree.looking();
  draw();
  looking();
  model.on("change:services", draw);
  model.on("change:looking", looking);
  model.on("change:selected", mark);
  document.addEventListener("keydown", slash, true); // before the other panels keep their keys to themselves
  return () => {
    model.off("change:services", draw);
    model.off("change:looking", looking);
    model.off("change:selected", mark);
    document.removeEventListener("keydown", slash, true);
  };
}

export default { render };
