// @ts-check
// What lies on the desk for each method: what was typed, and how it is looked at. It is this page's own: what was typed leaves it
// with a call, and no trait holds it.
import { Draft } from "./form/draft.js";
import { Types } from "./form/types.js";

/** @typedef {{ types: Types, draft: Draft, tab: string, text: string, timeout: string, metadata: { name: string, value: string }[], metadata_shown: boolean, schema: string }} Desk */

export class Desks {
  /** @param {(content: any) => void} send */
  constructor(send) {
    this.send = send;
    /** @type {Map<string, Desk>} */ this.desks = new Map();
    /** @type {string[] | null} */ this.names = null;
    /** @type {((names: string[]) => void)[]} */ this.waiting = [];
  }

  /** The desk of a method, as it was left; where the schema has changed since, with what still fits. @param {any} method @returns {Desk} */
  of(method) {
    const known = this.desks.get(method.name);
    const schema = JSON.stringify(method.types);
    if (known?.schema === schema) { known.types.ask_again(); return known; }
    const types = new Types(method.types, (names) => this.send({ command: "types", names }));
    const draft = new Draft(method.request_full_name, types);
    /** @type {Desk} */
    const desk = { types, draft, tab: "Form", text: "{}", timeout: String(method.timeout), metadata: [], metadata_shown: false, ...known, ...{ schema } };
    if (known) Object.assign(desk, { types, draft }, this.moved(known, draft));
    this.desks.set(method.name, desk);
    return desk;
  }

  /** @param {Desk} known @param {Draft} draft */
  moved(known, draft) {
    if (known.draft.problems().length) return {};
    const text = known.tab === "JSON" ? known.text : known.draft.to_json();
    return draft.from_json(text) ? { tab: "JSON", text } : {};
  }

  /** What the kernel tells in answer to a question. @param {any} content */
  told(content) {
    if (content.kind === "types") for (const desk of this.desks.values()) desk.types.add(content.types);
    if (content.kind !== "type_names") return;
    this.names = content.names;
    for (const then of this.waiting.splice(0)) then(content.names);
  }

  /** Every type that an Any may hold. @param {(names: string[]) => void} then */
  type_names(then) {
    if (this.names) return then(this.names);
    this.waiting.push(then);
    if (this.waiting.length === 1) this.send({ command: "type_names" });
  }

  /** What the server knows may have changed; and a question that nobody heard is asked again. */
  ask_again() {
    this.names = null;
    if (this.waiting.length) this.send({ command: "type_names" });
  }
}
