// @ts-check
import { Countdown, badge, button, count, duration, fill, h, own_keys, wire } from "./dom.js";
import { in_words, time_of_day, timeline } from "./chart.js";

// One module is loaded per model: what the kernel said last is here, for all views of it.
const countdown = new Countdown();
/** @type {any} */
let told = null;
/** @type {Set<() => void>} the views that are open */
const looking = new Set();
const TONES = { fresh: "good", refreshing: "", stale: "late", expired: "late", "sign in again": "bad", given: "", none: "" };
const LISTED = 20; // events that are told in words

/** @param {{ model: any }} context */
function initialize({ model }) {
  model.on("msg:custom", (/** @type {any} */ message) => {
    if (message.kind !== "details") return;
    told = message;
    countdown.set(message.remaining, message.lifetime);
    looking.forEach((draw) => draw());
  });
}

/** The phase as it is by now: a token can run out without the kernel saying so. */
function phase() {
  const left = countdown.remaining();
  return (told.phase === "fresh" || told.phase === "stale") && left !== null && left <= 0 ? "expired" : told.phase;
}

/** @param {string} phase @param {boolean} renews */
function what_it_means(phase, renews) {
  return {
    fresh: renews ? "Valid, and renewed before its end while it is needed." : "Valid until its end; it cannot be renewed.",
    refreshing: "A new token is being asked for.",
    stale: "Still valid, though its renewal is overdue or failed.",
    expired: renews ? "Over. The next call asks for a new one." : "Over.",
    "sign in again": "Over, and nothing is left to renew it with.",
    given: "A token that was given: all that is known of it.",
    none: "No token.",
  }[phase];
}

/** @param {string[]} names @param {string} none */
function words(names, none) {
  return names.length ? names.flatMap((name) => [wire(name), " "]) : [h("span", { class: "ge-faint" }, none), " "];
}

/** @param {any} facts @param {string} note */
function rows(facts, note) {
  const { person, issuer, client_id, granted, asked, missing, audience, refresh_count, last_error, advice, storage, account, warning } = facts;
  /** @type {[string, any[]][]} */
  const all = [
    ["Person", person ? [person] : []],
    ["Issuer", [wire(issuer)]],
    ["Client", [wire(client_id)]],
    ["Scopes granted", [...words(granted, "none"), ...missing.flatMap((/** @type {string} */ name) => [badge(`${name} not granted`, "late"), " "])]],
    ["Scopes asked for", words(asked, "none")],
    ["Audience", words(audience, "not told by this token")],
    ["Refreshes", [count(refresh_count)]],
    ["Refresh token", storage ? [`kept ${storage}`, account && ` as ${account}`] : [h("span", { class: "ge-faint" }, "none")]],
    ["", warning ? [h("span", { class: "ge-late" }, warning)] : []],
    ["", note ? [h("span", { class: "ge-soft" }, note)] : []],
    ["", advice ? [h("span", { class: "ge-late" }, advice)] : []],
    ["Last error", last_error ? [h("span", { class: "ge-trouble" }, last_error)] : [h("span", { class: "ge-faint" }, "none")]],
  ];
  return all.filter(([, content]) => content.length).flatMap(([name, content]) => [h("dt", {}, name), h("dd", {}, ...content)]);
}

/** @param {{ model: any, el: HTMLElement }} context */
function render({ model, el }) {
  own_keys(el);
  const mark = h("span", { class: "ge-phase" });
  const meaning = h("span", { class: "ge-soft" });
  const left = h("span", { class: "ge-wire ge-left" });
  const other = button("Sign in as someone else", () => { ask(false); model.send({ command: "someone_else" }); }, { class: "ge-quiet" });
  const shut = button("Close", () => ask(false), { class: "ge-quiet" });
  const facts = h("dl", { class: "ge-known" });
  const picture = timeline();
  const last = h("p", { class: "ge-soft ge-last" });
  const list = h("ol", { class: "ge-aloud", "aria-label": "The last events" });
  const claims = h("pre", { class: "ge-wire ge-scroll", tabindex: 0, "aria-label": "Claims of the token" });
  const decoded = h("details", { class: "ge-claims" }, h("summary", {}, "Claims"), claims,
    h("p", { class: "ge-faint" }, "Decoded here, not verified; the signature is left out."));
  const card = h("section", { class: "ge-card", "aria-label": "The life of the token", hidden: true },
    h("div", { class: "ge-card-head" }, mark, meaning, left, h("span", { class: "ge-card-buttons" }, other, shut)),
    h("div", { class: "ge-card-body" }, h("div", {}, facts), h("div", {}, picture.frame, last, list, decoded)));
  let open = false;
  /** @type {any} */
  let timer;

  const tick = () => {
    if (!told) return;
    const now = phase();
    fill(mark, badge(now, TONES[/** @type {keyof typeof TONES} */ (now)]));
    fill(meaning, what_it_means(now, told.facts.renews));
    const seconds = countdown.remaining();
    left.textContent = seconds === null || countdown.lifetime === null ? "" : `${duration(seconds)} of ${duration(countdown.lifetime)}`;
    picture.place((performance.now() - countdown.arrived) / 1000);
  };
  const draw = () => {
    if (!told) return;
    const latest = told.events[told.events.length - 1];
    fill(facts, ...(told.facts.issuer === undefined ? [] : rows(told.facts, told.note)));
    other.hidden = !told.again;
    picture.set(told.events);
    fill(last, latest ? `${time_of_day(latest.age)} ${latest.sentence}` : in_words([]));
    fill(list, ...told.events.slice(-LISTED).map((/** @type {any} */ event) => h("li", {}, `${time_of_day(event.age)} ${event.sentence}`)));
    claims.textContent = told.claims;
    decoded.hidden = !told.claims;
    tick();
  };
  const run = () => {
    clearTimeout(timer);
    if (!open || document.visibilityState !== "visible") return;
    tick();
    timer = setTimeout(run, countdown.until_next_second() ?? 1000); // in step with the header's countdown
  };
  const look = () => model.send({ command: "details", open: looking.size > 0 });
  const become = (/** @type {boolean} */ wanted) => {
    if (open === wanted) return;
    open = wanted;
    card.hidden = !open;
    if (open) looking.add(renew);
    else looking.delete(renew);
    look();
    draw();
    run();
  };
  const renew = () => { draw(); run(); };
  // The header and this panel are two widgets in one frame; what one view is asked is no affair of the kernel's.
  const ask = (/** @type {boolean} */ wanted) => el.dispatchEvent(new CustomEvent("ge-details", { bubbles: true, detail: { open: wanted } }));
  const hear = (/** @type {any} */ event) => {
    if (event.target.closest?.(".ge-frame")?.contains(el)) become(event.detail.open);
  };
  const observer = new ResizeObserver(() => open && tick());
  observer.observe(card);
  card.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => event.key === "Escape" && ask(false));
  document.addEventListener("ge-details", hear);
  document.addEventListener("visibilitychange", run);
  fill(el, card);
  return () => {
    clearTimeout(timer);
    observer.disconnect();
    if (open) { looking.delete(renew); look(); }
    document.removeEventListener("ge-details", hear);
    document.removeEventListener("visibilitychange", run);
  };
}

export default { initialize, render };
