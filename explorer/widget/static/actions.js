// @ts-check
// Below the form: the button that calls, the deadline, the metadata.
import { button, fill, h } from "./dom.js";
import { metadata_rows, sent_metadata } from "./metadata.js";

export class Actions {
  /**
   * @param {any} model
   * @param {(command: string, more?: Record<string, any>) => boolean} submit checks the form, and sends it as this command if nothing is wrong
   */
  constructor(model, submit) {
    this.model = model;
    this.submit = submit;
    this.row = h("div", { class: "ge-actions" });
    this.more = h("div");
    this.element = h("div", {}, this.row, this.more);
    this.caller = button("Call", () => (model.get("busy") ? model.send({ command: "stop" }) : submit("call")), { class: "ge-button ge-primary ge-call" });
    /** @type {any} */ this.slow = null;
  }

  /** @param {any} method @param {{ timeout: string, metadata: { name: string, value: string }[] | null }} desk */
  draw(method, desk) {
    const again = () => this.draw(method, desk);
    const deadline = h("input", {
      class: "ge-input ge-small", type: "text", inputmode: "decimal", value: desk.timeout, "aria-label": "deadline in seconds",
      oninput: (/** @type {any} */ event) => { desk.timeout = event.target.value; },
    });
    const metadata = button(`metadata ${sent_metadata(desk.metadata).length || "none"}`, () => { desk.metadata = desk.metadata ? null : [{ name: "", value: "" }]; again(); },
      { class: "ge-quiet", "aria-expanded": String(Boolean(desk.metadata)) });
    this.caller.disabled = Boolean(method.problem);
    fill(this.row, this.caller, h("label", { class: "ge-soft" }, "deadline ", deadline, " s"), metadata);
    fill(this.more, method.problem && h("p", { class: "ge-problem" }, method.problem), desk.metadata && metadata_rows(desk.metadata, again));
  }

  busy() {
    const busy = this.model.get("busy");
    clearTimeout(this.slow);
    this.caller.setAttribute("aria-busy", String(busy));
    if (!busy) this.caller.textContent = "Call";
    else this.slow = setTimeout(() => { this.caller.textContent = "Stop"; }, 250); // a quick answer should not make the button flicker
  }

  close() { clearTimeout(this.slow); }
}
