// @ts-check
import { badge, capped, fill, h, own_keys, tabs } from "./dom.js";
import { pairs, table_view, text_view, why_view } from "./shown.js";

/** @param {number} milliseconds since the epoch, by the kernel's clock; only its order of magnitude is shown */
function ago(milliseconds) {
  const seconds = (Date.now() - milliseconds) / 1000;
  if (seconds < 45) return "just now";
  if (seconds < 5400) return `${Math.max(1, Math.round(seconds / 60))} min ago`;
  return new Date(milliseconds).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
}

/** @param {any} answer */
function json_view({ json, json_of }) {
  return h("div", {}, text_view(json, "answer as JSON"), json_of && capped("last", json_of.drawn, json_of.total, "messages", "widget.call.json()"));
}

const LANGUAGES = { Python: "code", "Generated stub": "stub", grpcurl: "grpcurl" };

/** The call as text that makes it again, in three ways. @param {any} answer @param {{ language: string }} choice */
function code_view(answer, choice) {
  const element = h("div", {});
  const draw = () => {
    const label = `this call ${choice.language === "grpcurl" ? "as a grpcurl command" : choice.language === "Python" ? "as Python" : "as Python with a generated stub"}`;
    const which = tabs("language", Object.keys(LANGUAGES), choice.language, (name) => { choice.language = name; draw(); });
    which.classList.add("ge-languages");
    fill(element, which, text_view(answer[Reflect.get(LANGUAGES, choice.language)], label, "ge-python"));
  };
  draw();
  return element;
}

/** @param {any} metadata */
function metadata_view({ call, initial, trailing }) {
  const part = (/** @type {string} */ title, /** @type {any[]} */ entries) => h("section", {}, h("h4", {}, title), entries.length ? pairs(entries) : h("p", { class: "ge-faint" }, "none"));
  const known = (call ?? []).flatMap((/** @type {[string, string]} */ [name, value]) => [h("dt", {}, name), h("dd", {}, value)]);
  return h("div", { class: "ge-parts" }, part("Initial metadata", initial), part("Trailing metadata", trailing),
    known.length ? h("section", {}, h("h4", {}, "This call"), h("dl", { class: "ge-pairs" }, ...known)) : null);
}

/** Which tabs this answer has, and what each draws. @param {any} answer @param {(command: string) => void} send @param {{ language: string }} choice */
function pages(answer, send, choice) {
  /** @type {Record<string, () => Node>} */
  const all = {};
  if (answer.why) all["Why"] = () => why_view(answer.why, send);
  if (answer.table) all["Table"] = () => table_view(answer.table, "answer as a table");
  if (answer.json !== null) all["JSON"] = () => json_view(answer);
  if (answer.metadata) all["Metadata"] = () => metadata_view(answer.metadata);
  if (answer.code) all["Code"] = () => code_view(answer, choice);
  return all;
}

/** @param {{ model: any, el: HTMLElement }} context */
function render({ model, el }) {
  own_keys(el);
  const head = h("div", { class: "ge-title-row ge-answer-head" });
  const body = h("div", { class: "ge-answer-body" });
  const age = h("span", { class: "ge-soft" });
  const send = (/** @type {string} */ command) => model.send({ command });
  const choice = { language: "Python" };
  let wanted = "Table";

  const draw_age = () => {
    const { at } = model.get("answer");
    age.textContent = at ? `${model.get("answer").facts ? " · " : ""}${ago(at)}` : "";
    age.title = at ? new Date(at).toLocaleString([], { hourCycle: "h23" }) : "";
  };
  const draw = () => {
    const answer = model.get("answer");
    el.dataset.state = answer.state;
    if (answer.state === "none") {
      fill(head);
      fill(body, h("p", { class: "ge-faint" }, answer.hint));
      return;
    }
    const all = pages(answer, send, choice);
    const names = Object.keys(all);
    const whose = () => (answer.method && answer.method !== model.get("selected") ? h("span", { class: "ge-whose", title: answer.method }, `of ${answer.method.split(".").pop()}`) : null);
    const explained = wanted === "Table" && answer.why && answer.first !== "Table"; // what came is looked at before why it stopped
    const chosen = names.includes(wanted) && !explained ? wanted : names[0];
    const choose = (/** @type {string} */ name) => { wanted = name === "Why" ? "Table" : name; show(name); };
    const show = (/** @type {string} */ name) => {
      fill(head, badge(answer.badge, answer.tone), whose(), h("span", { class: "ge-facts ge-soft" }, answer.facts, age), names.length ? tabs("answer as", names, name, choose) : null);
      const aside = body.querySelector(".ge-scroll")?.scrollLeft ?? 0;
      fill(body, answer.state === "calling" && h("div", { class: "ge-bar", role: "progressbar", "aria-label": "calling" }), all[name]?.());
      const scroll = answer.state === "calling" && body.querySelector(".ge-scroll");
      if (scroll) { scroll.scrollTop = scroll.scrollHeight; scroll.scrollLeft = aside; } // what came last is what is looked at
    };
    draw_age();
    show(chosen);
  };

  /** What was refused before says nothing of what was refused now, beside the form. @param {any} event */
  const refused = (event) => {
    if (model.get("answer").badge !== "not sent" || !event.target.closest?.(".ge-frame")?.contains(el)) return;
    fill(head);
    fill(body);
  };

  fill(el, head, body);
  draw();
  const minutes = setInterval(draw_age, 30_000);
  model.on("change:answer", draw);
  model.on("change:selected", draw);
  document.addEventListener("ge-refused", refused);
  return () => { clearInterval(minutes); document.removeEventListener("ge-refused", refused); model.off("change:answer", draw); model.off("change:selected", draw); };
}

export default { render };
