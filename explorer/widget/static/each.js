// @ts-check
// Call for each …: where the requests of many calls come from, what goes with all of them, and how fast. What is chosen and typed
// stays in the page until it is sent.
import { button, count, fill, h, plural, tabs, wire } from "./dom.js";

const MOST_BYTES = 6_000_000; // as base64 they still fit into one message to a kernel
const PLACES = ["Name", "File", "Lines"];

/** What lies on a desk for it. */
function untouched() {
  return {
    open: false, place: "Name", name: "", path: "", text: "", busy: false,
    /** @type {Record<string, Record<string, string>>} */ columns: {}, // by name, the field of each column that is sent
    /** @type {Record<string, string>} */ field: {}, // by name, or by place for what has none
    /** @type {any} */ file: null,
    /** @type {any} */ looked: null,
    /** @type {any} */ seen: null,
    /** @type {any} */ problem: null,
    settings: { concurrency: "64", rate: "", into: "", errors: "row" },
  };
}

/** @param {number | null} rows @param {string} [things] */
function how_many(rows, things = "row") {
  return rows === null ? "" : plural(rows, things);
}

/** What a name stands for, in words. @param {any} one */
function what_it_holds({ kind, rows }) {
  const things = /** @type {Record<string, string>} */ ({ values: "value", requests: "request" })[kind];
  return things && rows !== null ? how_many(rows, things) : [kind, how_many(rows)].filter(Boolean).join(" · ");
}

/** Whether it has columns, each a field or none. @param {any} one */
function is_table(one) {
  return one?.kind === "DataFrame" || one?.kind === "table";
}

/** @param {string} label @param {any} control @param {any} [more] */
function line(label, control, more) {
  return h("div", { class: "ge-field" }, h("div", { class: "ge-field-name" }, label), h("div", { class: "ge-field-value" }, control, more));
}

export class Each {
  /**
   * @param {any} model
   * @param {(command: string, more?: Record<string, any>) => boolean} submit checks the form, and sends it as this command if nothing is wrong
   */
  constructor(model, submit) {
    this.model = model;
    this.submit = submit;
    this.toggle = button("Call for each …", () => this.open(!this.state.open), { class: "ge-button ge-each-toggle", "aria-expanded": "false" });
    this.element = h("div", { class: "ge-each-holder", onkeydown: (/** @type {KeyboardEvent} */ event) => this.key(event) });
    this.picker = h("input", { type: "file", class: "ge-picker", tabindex: -1, "aria-hidden": "true", accept: ".csv,.parquet,.json,.jsonl,.ndjson", onchange: () => this.choose_file() });
    this.source = h("div", { class: "ge-top" });
    this.along = h("p", { class: "ge-hint" });
    this.wrong = h("div", {});
    this.beginner = button("Call", () => this.begin(), { class: "ge-button ge-primary ge-each-begin" });
    /** @type {any} */ this.method = null;
    /** @type {any} */ this.desk = null;
    this.drawing = false; // what has the focus gets it back, which is no news
    this.state = untouched();
  }

  /** @param {any} method @param {any} desk */
  draw(method, desk) {
    this.method = method;
    this.desk = desk;
    this.state = desk.each = desk.each ?? untouched();
    this.toggle.hidden = Boolean(method.streams);
    this.toggle.disabled = Boolean(method.problem);
    this.draw_all();
  }

  /** @param {boolean} open */
  open(open) {
    this.state.open = open;
    this.state.problem = null;
    if (open) this.ask();
    this.draw_all();
    if (open) this.element.querySelector("[role=tab][aria-selected=true]")?.focus();
    else this.toggle.focus();
  }

  /** A notebook goes on: what has a name is asked for each time it matters. */
  ask() { this.model.send({ command: "sources", method: this.method.name }); }

  draw_all() {
    const { state } = this;
    const open = state.open && !this.toggle.hidden && !this.toggle.disabled;
    this.toggle.setAttribute("aria-expanded", String(open));
    if (!open) { fill(this.element); return; }
    fill(this.element, h("div", { class: "ge-each ge-form ge-top", role: "region", "aria-label": `Call ${this.method.label} for each` },
      line("one call for each of", h("div", { class: "ge-places" }, tabs("where the requests come from", PLACES, state.place, (place) => this.turn_to(place)))),
      this.source, line("how", this.how()), this.along, this.wrong,
      h("div", { class: "ge-actions" }, this.beginner, button("Close", () => this.open(false), { class: "ge-quiet" }))));
    this.draw_source();
  }

  /** @param {string} place */
  turn_to(place) {
    this.state.place = place;
    this.state.problem = null;
    if (place === "Name") this.ask();
    this.draw_all();
  }

  draw_source() {
    const { place } = this.state;
    const focused = this.source.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement).dataset.key : null;
    this.drawing = true;
    fill(this.source, ...(place === "Name" ? this.from_name() : place === "File" ? this.from_file() : this.from_lines()));
    if (focused) this.source.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
    this.drawing = false;
    this.draw_foot();
  }

  draw_foot() {
    const { state } = this;
    const rows = this.rows();
    const checking = state.busy && this.model.get("collecting");
    this.beginner.textContent = checking ? "Checking …" : rows === null ? "Call" : `Call ${count(rows)} time${rows === 1 ? "" : "s"}`;
    this.beginner.disabled = this.model.get("collecting") || rows === 0 || !this.could_begin();
    this.beginner.setAttribute("aria-busy", String(Boolean(checking)));
    fill(this.along, ...this.goes_along());
    const { problem } = state;
    fill(this.wrong, problem && h("p", { class: "ge-trouble", role: "alert" }, problem.sentence,
      problem.action && button(problem.action.label, () => this.model.send({ command: problem.action.command }), { class: "ge-quiet" })));
  }

  // The places

  from_name() {
    const { state } = this;
    if (!state.seen) return [line("name", h("span", { class: "ge-hint ge-plain" }, "Looking …"))];
    const { names, names_in_all } = state.seen;
    const again = button("Look again", () => this.ask(), { class: "ge-quiet", data: { key: "again" } });
    if (!names.length) return [line("name", h("span", { class: "ge-hint ge-plain" }, "This notebook has no DataFrame, table, Series or list with a name yet. ", again))];
    const option = (/** @type {any} */ one) => h("option", { value: one.name, ...(one.name === state.name ? { selected: true } : {}) },
      `${one.name} · ${what_it_holds(one)}`);
    const select = h("select", {
      class: "ge-input", "aria-label": "name in the notebook", data: { key: "name" }, onfocus: () => { if (!this.drawing) this.ask(); },
      onchange: (/** @type {any} */ event) => { state.name = event.target.value; state.problem = null; this.draw_source(); },
    }, ...names.map(option));
    return [line("name", select, names_in_all > names.length && h("div", { class: "ge-hint" }, `The first ${count(names.length)} of ${count(names_in_all)} names are offered.`)), ...this.fitting(this.chosen(), state.name)];
  }

  from_file() {
    const { state } = this;
    const path = h("input", {
      class: "ge-input ge-wire", type: "text", value: state.path, placeholder: "ids.csv", spellcheck: "false", autocomplete: "off", "aria-label": "path of the file", data: { key: "path" },
      oninput: (/** @type {any} */ event) => { Object.assign(state, { path: event.target.value, file: null, looked: null, problem: null }); this.draw_foot(); },
      onchange: () => this.look_into(),
    });
    const seen = state.looked;
    const strange = this.strange();
    const fields = (seen?.columns ?? []).filter((/** @type {any} */ column) => column.field).map((/** @type {any} */ column) => column.name);
    const what = seen && !seen.problem && [how_many(seen.rows, is_table(seen) ? "row" : "request"), fields.join(", ")].filter(Boolean).join(" · ");
    const told = seen?.problem ? h("div", { class: "ge-field-problem", role: "alert" }, seen.problem)
      : strange.length ? h("div", { class: "ge-field-problem", role: "alert" }, `${strange.join(", ")} ${strange.length === 1 ? "is" : "are"} no field of ${this.method.request_type}, and a file is sent whole.`)
        : h("div", { class: "ge-hint" }, seen ? `${what}${state.file ? " · through the page" : ""}` : "CSV, Parquet, JSON or JSON lines, beside the notebook or anywhere on the kernel's machine");
    return [line("file", h("div", { class: "ge-with" }, path, this.picker, button("Choose …", () => this.picker.click(), { class: "ge-side", title: "A file of this computer's, up to 6 MB" })), told)];
  }

  from_lines() {
    const { state } = this;
    const area = h("textarea", {
      class: "ge-input ge-wire", rows: 4, value: state.text, spellcheck: "false", placeholder: "one value a line", "aria-label": "values, one a line", data: { key: "lines" },
      oninput: (/** @type {any} */ event) => { state.text = event.target.value; state.problem = null; this.draw_foot(); },
    });
    return [...this.which_field("Lines", ""), line("values", area)];
  }

  /** Which columns are which fields, or which field it is. @param {any} one @param {string} name */
  fitting(one, name) {
    if (!one || one.kind === "requests") return [];
    if (!is_table(one)) return this.which_field(name, one.field);
    const chosen = this.state.columns[name] ?? {};
    const row = (/** @type {any} */ column) => line("", this.field_select(chosen[column.at] ?? column.field, "not sent", `field of the column ${column.name}`, `column ${column.at}`,
      (path) => { this.state.columns[name] = { ...this.sent_columns(one, name), [column.at]: path }; }));
    const rows = one.columns.map((/** @type {any} */ column) => {
      const drawn = row(column);
      fill(drawn.firstChild, wire(column.name), h("span", { class: "ge-faint" }, column.dtype));
      return drawn;
    });
    const left = one.columns_in_all - one.columns.length;
    return [h("div", { class: "ge-each-columns ge-top" }, ...rows), left > 0 && h("p", { class: "ge-hint" }, `${count(left)} more columns are not sent.`)];
  }

  /** @param {string} whose @param {string} likely */
  which_field(whose, likely) {
    const { fields } = this.state.seen ?? { fields: [] };
    const known = this.state.field[whose] ?? (likely || (fields.length === 1 ? fields[0] : ""));
    this.state.field[whose] = known;
    return [line("sent as", this.field_select(known, "choose a field", "field of the request", "field", (path) => { this.state.field[whose] = path; }))];
  }

  /** @param {string} known @param {string} none @param {string} label @param {string} key @param {(path: string) => void} then */
  field_select(known, none, label, key, then) {
    const { fields } = this.state.seen ?? { fields: [] };
    const paths = known && !fields.includes(known) ? [known, ...fields] : fields;
    return h("select", {
      class: `ge-input ${known ? "ge-wire" : "ge-unchosen"}`, "aria-label": label, data: { key },
      onchange: (/** @type {any} */ event) => { then(event.target.value); this.state.problem = null; this.draw_source(); },
    }, h("option", { value: "" }, none), ...paths.map((/** @type {string} */ path) => h("option", { value: path, ...(path === known ? { selected: true } : {}) }, path)));
  }

  how() {
    const { settings } = this.state;
    const text = (/** @type {"concurrency" | "rate" | "into"} */ name, /** @type {string} */ label, /** @type {Record<string, any>} */ more) => h("input", {
      class: "ge-input ge-small", type: "text", inputmode: "decimal", value: settings[name], "aria-label": label, autocomplete: "off", spellcheck: "false", ...more,
      oninput: (/** @type {any} */ event) => { settings[name] = event.target.value; },
    });
    const errors = h("input", {
      type: "checkbox", class: "ge-check", checked: settings.errors === "row",
      onchange: (/** @type {any} */ event) => { settings.errors = event.target.checked ? "row" : "raise"; },
    });
    return h("div", { class: "ge-actions ge-how" },
      h("label", { class: "ge-soft", title: "How many calls are under way at once" }, text("concurrency", "calls at once", {}), " at once"),
      h("label", { class: "ge-soft", title: "How many calls may begin in a second" }, "at most ", text("rate", "calls per second", { placeholder: "any" }), " /s"),
      h("label", { class: "ge-soft", title: "A folder for the rows as Parquet; run again, it goes on where it was" }, "into ", text("into", "folder for the rows", { inputmode: "text", placeholder: "memory", class: "ge-input ge-small ge-wire ge-into" })),
      h("label", { class: "ge-soft", title: "Off: the first error ends the run" }, errors, " errors as rows"));
  }

  // What is chosen

  /** What the notebook calls by the chosen name. */
  chosen() {
    const names = this.state.seen?.names ?? [];
    return names.find((/** @type {any} */ one) => one.name === this.state.name) ?? null;
  }

  /** @param {any} one @param {string} name @returns {Record<string, string>} */
  sent_columns(one, name) {
    const fitting = Object.fromEntries(one.columns.filter((/** @type {any} */ column) => column.field).map((/** @type {any} */ column) => [column.at, column.field]));
    return { ...fitting, ...this.state.columns[name] };
  }

  /** How many calls that makes, null where nobody knows yet. */
  rows() {
    const { state } = this;
    if (state.place === "Lines") return state.text.split("\n").filter((row) => row.trim()).length;
    return (state.place === "Name" ? this.chosen()?.rows : state.looked?.rows) ?? null;
  }

  /** Whether there is a source that could be sent; what is wrong with one is said where it stands. */
  could_begin() {
    const { state } = this;
    if (state.place === "Name") return Boolean(this.chosen());
    return state.place === "Lines" || (state.path.trim() !== "" && !state.looked?.problem && !this.strange().length);
  }

  /** The columns of the file that are no field. @returns {string[]} */
  strange() { return (this.state.looked?.columns ?? []).filter((/** @type {any} */ column) => !column.field).map((/** @type {any} */ column) => column.name); }

  /** The fields that the source gives. @returns {string[]} */
  given() {
    const { state } = this;
    const one = this.chosen();
    if (state.place === "Lines") return [state.field.Lines];
    if (state.place === "File") return (state.looked?.columns ?? []).map((/** @type {any} */ column) => column.field);
    return !one ? [] : is_table(one) ? Object.values(this.sent_columns(one, state.name)) : [state.field[state.name]];
  }

  /** What of the form goes with every call, and what of it does not. */
  goes_along() {
    if (this.model.get("collecting") && !this.state.busy) return ["A run is under way; the next one can begin when it is over."];
    let filled = [];
    try {
      const value = JSON.parse(this.desk.tab === "Form" ? this.desk.draft.to_json() : this.desk.text);
      filled = Object.keys(value ?? {});
    } catch { return []; } // said where it stands, once it is sent
    const plain = (/** @type {string} */ path) => (path ?? "").split(".")[0].replaceAll("_", "").toLowerCase();
    const given = this.given().filter(Boolean).map(plain);
    const along = filled.filter((name) => !given.includes(plain(name)));
    return along.length ? ["The same in all, from the form: ", wire(along.join(", ")), "."] : [];
  }

  async choose_file() {
    const file = this.picker.files?.[0];
    this.picker.value = "";
    if (!file) return;
    const { state } = this;
    Object.assign(state, { path: file.name, file: null, problem: null, looked: null });
    if (file.size > MOST_BYTES) state.looked = { problem: `${file.name} has ${(file.size / 1e6).toFixed(1)} MB; through the page go 6 MB at most. Put it where the kernel runs, and write its path.` };
    else {
      const bytes = new Uint8Array(await file.arrayBuffer());
      let text = "";
      for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
      state.file = { name: file.name, data: btoa(text) };
      this.look_into();
    }
    this.draw_source();
  }

  look_into() {
    const { path, file } = this.state;
    if (path.trim()) this.model.send({ command: "look_into", method: this.method.name, ...(file ?? { path }) });
  }

  // To and fro

  begin() {
    if (this.beginner.disabled) return;
    const { state } = this;
    const sources = {
      Name: () => ({ kind: "name", name: state.name, field: state.field[state.name] ?? "", columns: is_table(this.chosen()) ? this.sent_columns(this.chosen(), state.name) : {} }),
      File: () => ({ kind: "file", ...(state.file ?? { path: state.path }) }),
      Lines: () => ({ kind: "lines", text: state.text, field: state.field.Lines ?? "" }),
    };
    state.problem = null;
    state.busy = this.submit("collect", { source: Reflect.get(sources, state.place)(), settings: state.settings });
    this.draw_foot();
  }

  /** What the kernel tells. @param {any} content */
  hear(content) {
    if (content.method !== this.method?.name) return;
    const { state } = this;
    if (content.names) {
      if (JSON.stringify(content) === JSON.stringify(state.seen)) return; // an open list stays open
      state.seen = content;
      if (!this.chosen()) state.name = content.names[0]?.name ?? "";
    }
    if (content.file) state.looked = content.file;
    if (content.problem) Object.assign(state, { problem: content.problem, busy: false });
    if (content.begun) {
      const within = this.element.contains(document.activeElement);
      Object.assign(state, { open: false, busy: false });
      this.draw_all();
      if (within) this.toggle.focus();
    } else if (state.open) this.draw_source();
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.key === "Escape") { event.preventDefault(); this.open(false); return; }
    const target = /** @type {HTMLElement} */ (event.target);
    const strong = event.ctrlKey || event.metaKey;
    if (event.key !== "Enter" || event.isComposing || !(strong || target.matches("input:not([type=checkbox], [type=file]), select") || (target.matches("textarea") && event.shiftKey))) return;
    event.preventDefault();
    if (target.dataset.key === "path" && !this.state.looked) this.look_into();
    else this.begin();
  }
}
