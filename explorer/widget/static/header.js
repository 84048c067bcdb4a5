// @ts-check
import { Countdown, badge, button, count, duration, fill, h, own_keys, svg, ticking, wire } from "./dom.js";
import { while_visible } from "./visible.js";

// One module is loaded per model, so this is the one clock of the one token, however many views there are.
const countdown = new Countdown();
/** @type {Set<() => void>} */
const views = new Set();
const AROUND = 2 * Math.PI * 8;
const NEARLY = 0.12; // renewing begins at 80 % of a lifetime, so what is left below this was not renewed in time

/** @param {{ model: any }} context */
function initialize({ model }) {
  model.on("msg:custom", (/** @type {any} */ message) => {
    if (message.kind !== "clock") return;
    countdown.set(message.remaining, message.lifetime);
    views.forEach((again) => again());
  });
  model.send({ command: "look" });
}

/** @param {any} place */
function where({ target, security, notice, services, reflection }) {
  if (!target) return [h("span", { class: "ge-faint" }, "not connected")];
  const seen = services === null ? "" : `${count(services)} service${services === 1 ? "" : "s"}${reflection ? ` · reflection ${reflection}` : ""}`;
  return [
    wire(target, { class: "ge-target", title: target }),
    security && badge(security, security === "plaintext" ? "late" : "good", notice ? { title: notice } : {}),
    h("span", { class: "ge-faint ge-seen" }, seen),
  ];
}

function ring() {
  const circle = (/** @type {string} */ name) => svg("circle", { cx: 10, cy: 10, r: 8, class: name });
  const run = circle("ge-ring-run");
  run.setAttribute("stroke-dasharray", String(AROUND));
  const element = svg("svg", { viewBox: "0 0 20 20", class: "ge-ring", "aria-hidden": "true" }, circle("ge-ring-track"), run);
  return { element, run };
}

/** The phase as it is by now: a token can run out without the kernel saying so. @param {string} phase */
function phase_now(phase) {
  const known = countdown.remaining();
  return (phase === "fresh" || phase === "stale") && known !== null && known <= 0 ? "expired" : phase;
}

/** What is said aloud, once per change. @param {string} phase @param {string} person */
function announcement(phase, person) {
  if (phase === "sign in again") return "Sign in again to go on.";
  if (phase === "expired") return "The token has expired.";
  return phase === "signed out" ? "Signed out." : phase === "none" ? "" : `Signed in${person ? ` as ${person}` : ""}.`;
}

/** @param {HTMLElement} element @param {any} account */
function fill_who(element, { person, scope, missing, resumed, ends }) {
  const scopes = scope === null ? "" : scope.length ? scope.join(" ") : missing.length ? "no scopes granted" : "no scopes";
  const lacks = missing.length > 0 && scope?.length > 0; // "no scopes granted" says it already
  element.title = [scopes, missing.length && `asked for, not granted: ${missing.join(" ")}`, resumed, ends].filter(Boolean).join("\n");
  return fill(
    element, person && h("b", {}, person), person && " ", h("span", { class: "ge-soft" }, scopes),
    lacks && h("span", { class: "ge-late" }, ` not ${missing.join(" ")}`), resumed && h("span", { class: "ge-faint" }, " · resumed"), ends && h("span", { class: "ge-faint" }, " · not renewed"),
  );
}

/** The children, put there only where they are not there already: what has the focus keeps it. @param {HTMLElement} element @param {Node[]} children */
function keep(element, ...children) {
  if (element.childNodes.length !== children.length || children.some((child, at) => element.childNodes[at] !== child)) fill(element, ...children);
}

/** @param {{ model: any, el: HTMLElement }} context */
function render({ model, el }) {
  own_keys(el);
  const left = h("div", { class: "ge-where" });
  const right = h("div", { class: "ge-account" });
  const said = h("span", { class: "ge-aloud", role: "status" });
  const { element: dial, run } = ring();
  const time = h("span", { class: "ge-time", role: "timer", "aria-label": "token expires in" });
  let open = false;
  const details = () => el.dispatchEvent(new CustomEvent("ge-details", { bubbles: true, detail: { open: !open } }));
  const clock = h("span", { class: "ge-clock", title: "The life of the token", onclick: details }, dial, time);
  const person = h("button", { type: "button", class: "ge-who", "aria-expanded": "false", onclick: details });
  const refresh = button("⟳", () => model.send({ command: "refresh" }), { class: "ge-quiet ge-refresh", "aria-label": "Refresh the token now" });
  const leave = button("Sign out", () => model.send({ command: "sign_out" }), { class: "ge-quiet" });
  const enter = button("Sign in again", () => model.send({ command: "sign_in_again" }), { class: "ge-quiet ge-late" });
  let drawn = "";
  let said_last = "";

  const draw_clock = () => {
    const left_over = countdown.remaining();
    const known = left_over !== null && countdown.lifetime !== null;
    const part = known && countdown.lifetime ? Math.min(1, left_over / countdown.lifetime) : 0;
    clock.classList.toggle("ge-nearly", known && part < NEARLY);
    run.setAttribute("stroke-dashoffset", String(AROUND * (1 - part)));
    time.textContent = known ? duration(left_over) : countdown.left === null && countdown.arrived ? "no expiry known" : "–:––";
    clock.classList.toggle("ge-unknown", !known);
    if (phase_now(model.get("account").phase) !== drawn) draw_account();
  };

  const draw_account = () => {
    const account = model.get("account");
    const phase = phase_now(account.phase);
    const news = announcement(phase, account.person);
    if (news !== said_last) said.textContent = drawn ? news : "";
    said_last = news;
    drawn = phase;
    refresh.disabled = phase === "refreshing";
    refresh.title = account.last_error || (account.renews ? "Renews itself; refresh now" : "Refresh now");
    refresh.classList.toggle("ge-late", Boolean(account.last_error));
    refresh.hidden = !account.refreshable;
    leave.hidden = !account.leaves;
    enter.hidden = !account.again;
    el.dataset.phase = phase;
    const who = fill_who(person, account);
    if (phase === "none") fill(right, h("span", { class: "ge-faint" }, target() ? "no sign-in" : ""));
    else if (phase === "signed out") fill(right, h("span", { class: "ge-soft" }, "signed out"));
    else if (phase === "sign in again") keep(right, who, account.again ? enter : h("span", { class: "ge-late", title: account.advice }, "sign in again"));
    else if (phase === "expired") keep(right, who, h("span", { class: "ge-late" }, "expired"), refresh, leave);
    else keep(right, who, clock, refresh, leave);
  };

  const target = () => model.get("place").target;
  const draw_place = () => { fill(left, ...where(model.get("place"))); draw_account(); };
  const { tick, stop } = ticking(countdown, draw_clock);
  const look = () => document.visibilityState === "visible" && model.send({ command: "look" }); // a machine that slept may have stopped this clock

  fill(el, left, right, said);
  draw_place();
  tick();
  views.add(tick);
  model.on("change:place", draw_place);
  model.on("change:account", draw_account);
  const opened = (/** @type {any} */ event) => {
    if (!event.target.closest?.(".ge-frame")?.contains(el)) return;
    open = event.detail.open;
    person.setAttribute("aria-expanded", String(open));
    if (!open && event.target !== el) person.focus();
  };
  const unseen = while_visible(el, () => model.send({ command: "visible" }));
  document.addEventListener("ge-details", opened);
  document.addEventListener("visibilitychange", look);
  return () => {
    stop();
    unseen();
    document.removeEventListener("ge-details", opened);
    views.delete(tick);
    model.off("change:place", draw_place);
    model.off("change:account", draw_account);
    document.removeEventListener("visibilitychange", look);
  };
}

export default { initialize, render };
