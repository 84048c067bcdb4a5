// @ts-check
// The message types that forms are made of, by full name; what lies deep is fetched when it is opened.

export class Types {
  /** @param {Record<string, any>} table @param {(names: string[]) => void} ask */
  constructor(table, ask) {
    this.table = new Map(Object.entries(table));
    this.ask = ask;
    /** @type {Map<string, (() => void)[]>} */
    this.waiting = new Map();
  }

  /** What a type is; undefined as long as that is not known here. @param {string} name */
  get(name) { return this.table.get(name); }

  /** Have `then` called once the type is known: at once, or when it has come. @param {string} name @param {() => void} then */
  need(name, then) {
    if (this.table.has(name)) return then();
    const first = !this.waiting.has(name);
    this.waiting.set(name, [...(this.waiting.get(name) ?? []), then]);
    if (first) this.ask([name]);
  }

  /** What nobody answered: there may have been no connection. */
  ask_again() { if (this.waiting.size) this.ask([...this.waiting.keys()]); }

  /** @param {Record<string, any>} table */
  add(table) {
    for (const [name, type] of Object.entries(table)) this.table.set(name, type);
    for (const name of Object.keys(table)) {
      const then = this.waiting.get(name) ?? [];
      this.waiting.delete(name);
      for (const one of then) one();
    }
  }
}
