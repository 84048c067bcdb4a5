// @ts-check
// Where a field or one of its values stands on the page: its input, and what is wrong with it.
import { h } from "../dom.js";

export class Place {
  /** @param {any} view @param {any} thing the slot or row that stands here @param {string} path */
  constructor(view, thing, path) {
    this.view = view;
    this.thing = thing;
    this.path = path;
    this.id = view.new_id();
    /** @type {any} */ this.input = null; // takes the focus, and is marked where something is wrong
    /** @type {any} */ this.below = null; // under which problems stand
    /** @type {any} */ this.problem = null; // made when there is one: most fields never have any
    this.server = ""; // what the server said, until something is typed
    /** @type {(inner?: any) => void} */ this.open = () => {}; // shows what is within
    this.chosen = () => {}; // somebody typed: so it is to be sent
    view.places.set(thing, this);
  }

  /** What every input has. @param {string} label */
  attributes(label) {
    return { id: this.id, spellcheck: "false", autocomplete: "off", "aria-label": label, data: { field: this.path } };
  }

  /** @template T @param {T} input @returns {T} */
  holds(input) {
    this.input = input;
    return input;
  }

  /** @param {string} sentence */
  say(sentence) {
    if (!this.problem) {
      if (!sentence) return;
      this.problem = h("div", { class: "ge-field-problem", id: `${this.id}-problem`, role: "alert" });
      this.below.append(this.problem);
    }
    this.problem.textContent = sentence;
    if (!this.input) return;
    this.input.setAttribute("aria-invalid", String(Boolean(sentence)));
    if (sentence) this.input.setAttribute("aria-describedby", this.problem.id);
    else this.input.removeAttribute("aria-describedby");
  }

  /** Something was typed: what was wrong is looked at again, and nothing new is found fault with before it is done. */
  edited() {
    this.chosen();
    if (this.problem?.textContent) this.say(this.view.problem_of(this.thing));
    this.view.edited();
  }

  /** Typing is done. What moves a button while it is being pressed takes the click away: so not before it is let go. */
  done() {
    const say = () => this.say(this.view.problem_of(this.thing));
    if (document.querySelector("button:active")) window.addEventListener("pointerup", () => setTimeout(say), { once: true, capture: true });
    else say();
  }

  /** @param {any} leaf @param {any} raw */
  set(leaf, raw) {
    leaf.raw = raw;
    this.edited();
  }
}

/** A button in a row of buttons beside an input. @param {string} sign @param {string} label @param {() => void} onclick @param {Record<string, any>} [more] */
export function side_button(sign, label, onclick, more = {}) {
  return h("button", { type: "button", class: "ge-side", title: label, "aria-label": label, ...more, onclick }, sign);
}
