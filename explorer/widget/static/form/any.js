// @ts-check
// An Any: which type, found by typing among all that are known, and then that type's own form.
import { fill, h } from "../dom.js";
import { found_in } from "../found.js";

const PREFIX = "type.googleapis.com/";
const SHOWN = 40;

/**
 * @param {any} view @param {any} packed @param {any} place @param {string} label @param {number} depth
 * @param {(cell: any) => any} draw_inner
 */
export function any_input(view, packed, place, label, depth, draw_inner) {
  const inner = h("div", { class: "ge-packed" });
  const choose = (/** @type {string} */ name) => {
    packed.choose(name && (name.includes("/") ? name : PREFIX + name));
    draw();
    place.edited();
  };
  const draw = () => {
    view.places.set(place.thing, place);
    if (!packed.url) { fill(inner); return; }
    fill(inner, h("p", { class: "ge-faint" }, "…"));
    packed.types.need(packed.type(), () => {
      packed.ready();
      fill(inner, packed.opaque && h("p", { class: "ge-hint" }, "This type is not known here: its bytes are sent as they are."), draw_inner(packed.inner ?? packed.opaque));
    });
  };
  draw();
  const holder = h("div", { class: depth ? "ge-nested" : "ge-top" }, new Chooser(view, place, label, packed.type(), choose).element, inner);
  holder.style.setProperty("--ge-depth", String(depth));
  return holder;
}

/** A box to type into, and a list of what has that in its name. */
class Chooser {
  /** @param {any} view @param {any} place @param {string} label @param {string} chosen @param {(name: string) => void} onchoose */
  constructor(view, place, label, chosen, onchoose) {
    this.view = view;
    this.place = place;
    this.onchoose = onchoose;
    this.chosen = chosen;
    this.active = 0;
    /** @type {string[]} */ this.shown = [];
    this.list = h("ul", { class: "ge-options", role: "listbox", id: `${place.id}-types`, "aria-label": `types for ${label}`, hidden: true });
    this.input = place.holds(h("input", {
      ...place.attributes(`type of ${label}`), type: "text", class: "ge-input ge-wire", value: chosen, placeholder: "type, found by typing", role: "combobox",
      "aria-expanded": "false", "aria-controls": `${place.id}-types`, "aria-autocomplete": "list",
      oninput: () => this.search(), onclick: () => this.search(""), onblur: () => this.close(), onkeydown: (/** @type {KeyboardEvent} */ event) => this.key(event),
    }));
    this.list.addEventListener("pointerdown", (/** @type {any} */ event) => { // before the input loses the focus, and the list with it
      event.preventDefault();
      const option = event.target.closest("[role=option]");
      if (option) this.take(option.dataset.name);
    });
    this.element = h("div", { class: "ge-field" }, h("div", { class: "ge-field-name" }, h("label", { for: place.id }, "type")), h("div", { class: "ge-field-value" }, this.input, this.list));
  }

  /** @param {string} [typed] */
  search(typed = this.input.value) {
    this.view.type_names((/** @type {string[]} */ names) => {
      const found = found_in(names, typed, (name) => name, (name) => name.slice(name.lastIndexOf(".") + 1));
      this.shown = found.slice(0, SHOWN);
      this.active = 0;
      fill(this.list, ...this.shown.map((name, at) => h("li", { role: "option", id: `${this.list.id}-${at}`, data: { name } }, name)),
        found.length > SHOWN && h("li", { class: "ge-faint" }, `${found.length - SHOWN} more: type a part of the name`),
        !found.length && h("li", { class: "ge-faint" }, names.length ? "No known type has that in its name." : "No types are known."));
      this.list.hidden = false;
      this.input.setAttribute("aria-expanded", "true");
      this.mark();
    });
  }

  mark() {
    [...this.list.querySelectorAll("[role=option]")].forEach((option, at) => option.setAttribute("aria-selected", String(at === this.active)));
    const option = this.list.children[this.active];
    if (this.shown.length) this.input.setAttribute("aria-activedescendant", option.id);
    else this.input.removeAttribute("aria-activedescendant");
    option?.scrollIntoView({ block: "nearest" });
  }

  close() {
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
    const typed = this.input.value.trim();
    if (typed === this.chosen) return;
    if (!typed || typed.includes("/")) this.take(typed); // nothing, or a type by its whole URL
    else this.input.value = this.chosen;
  }

  /** @param {string} name */
  take(name) {
    this.chosen = name.slice(name.lastIndexOf("/") + 1);
    this.input.value = this.chosen;
    this.close();
    this.onchoose(name);
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const open = !this.list.hidden;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      if (open) this.active = Math.max(0, Math.min(this.shown.length - 1, this.active + step));
      if (open) this.mark();
      else this.search("");
    } else if (event.key === "Enter" && open && !event.ctrlKey && !event.metaKey) {
      if (this.shown.length) this.take(this.shown[this.active]);
    } else if (event.key === "Escape" && open) {
      this.input.value = this.chosen;
      this.close();
    } else return;
    event.preventDefault();
  }
}
