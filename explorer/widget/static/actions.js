// @ts-check
// Below the form: the button that calls, the deadline, the metadata; for a stream of requests Send, a file, and Done.
import { button, count, fill, h } from "./dom.js";
import { Each } from "./each.js";
import { metadata_rows, sent_metadata } from "./metadata.js";

/** What was typed stays, and is sent, also where it is out of sight. @param {any} desk */
function toggle(desk) {
  desk.metadata_shown = !desk.metadata_shown;
  if (desk.metadata_shown && !desk.metadata.length) desk.metadata.push({ name: "", value: "" });
}

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
    this.each = new Each(model, submit);
    this.element = h("div", {}, this.row, this.more, this.each.element);
    this.caller = button("Call", () => (model.get("busy") ? model.send({ command: "stop" }) : submit("call")), { class: "ge-button ge-primary ge-call" });
    this.sender = button("Send", () => submit("send"), { class: "ge-button ge-primary ge-call ge-send", title: "Send this message; the first one begins the call" });
    this.picker = h("input", { type: "file", class: "ge-picker", tabindex: -1, "aria-hidden": "true", accept: ".json,.jsonl,.ndjson,.txt,application/json", onchange: () => this.send_file() });
    this.file = button("Send a file …", () => this.picker.click(), { class: "ge-button", title: "A JSON array of messages, or a message a line" });
    this.done = button("Done sending", () => model.send({ command: "half_close" }), { class: "ge-button ge-done", title: "Tell the server that this was all; answers may still come" });
    this.stopper = button("Stop", () => model.send({ command: "stop" }), { class: "ge-quiet ge-stop" });
    this.amount = h("span", { class: "ge-soft ge-sent", role: "status" });
    /** @type {any} */ this.method = null;
    /** @type {any} */ this.slow = null;
  }

  /** @param {any} method @param {any} desk */
  draw(method, desk) {
    this.each.draw(method, desk);
    this.draw_row(method, desk);
  }

  /** @param {any} method @param {{ timeout: string, metadata: { name: string, value: string }[], metadata_shown: boolean }} desk */
  draw_row(method, desk) {
    const again = () => this.draw_row(method, desk);
    this.method = method;
    const deadline = h("input", {
      class: "ge-input ge-small", type: "text", inputmode: "decimal", value: desk.timeout, "aria-label": "deadline in seconds",
      oninput: (/** @type {any} */ event) => { desk.timeout = event.target.value; },
    });
    const metadata = button("", () => { toggle(desk); again(); }, { class: "ge-quiet ge-metadata-toggle", "aria-expanded": String(desk.metadata_shown) });
    const tally = () => { metadata.textContent = `metadata ${sent_metadata(desk.metadata).length || "none"}`; };
    tally();
    this.caller.disabled = Boolean(method.problem);
    const doing = method.streams ? [this.sender, h("span", { class: "ge-file" }, this.file, this.picker), this.done, this.stopper] : [this.caller, this.each.toggle];
    fill(this.row, ...doing, h("label", { class: "ge-soft" }, "deadline ", deadline, " s"), metadata, method.streams && this.amount);
    this.busy();
    fill(this.more, method.problem && h("p", { class: "ge-problem" }, method.problem), desk.metadata_shown && metadata_rows(desk.metadata, again, tally, this.model.get("open_metadata") ?? []));
  }

  busy() {
    const busy = this.model.get("busy");
    if (this.method?.streams) { this.flow(); return; }
    clearTimeout(this.slow);
    this.caller.setAttribute("aria-busy", String(busy));
    if (!busy) this.caller.textContent = "Call";
    else this.slow = setTimeout(() => { this.caller.textContent = "Stop"; }, 250); // a quick answer should not make the button flicker
  }

  /** A stream of requests: what can be done now, and how much has gone out. */
  flow() {
    if (!this.method?.streams) return;
    const busy = this.model.get("busy");
    const flow = this.model.get("flow") ?? {};
    const here = busy && flow.method === this.method.name;
    this.sender.disabled = this.file.disabled = busy && !(here && flow.open);
    this.done.hidden = !(here && flow.open);
    this.stopper.hidden = !busy;
    this.amount.textContent = here && flow.waiting > 0 ? `${count(flow.waiting)} wait to be sent` : "";
    this.amount.hidden = !this.amount.textContent;
  }

  async send_file() {
    const file = this.picker.files?.[0];
    this.picker.value = "";
    if (file) this.submit("send", { many: true, text: await file.text() });
  }

  close() { clearTimeout(this.slow); }
}
