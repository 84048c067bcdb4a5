// @ts-check
import { Countdown, button, duration, fill, h, link, own_keys, safe_address, ticking, wire } from "./dom.js";

// What must not rest in widget state comes by message and rests here: the sign-in page's address, the user code.
const countdown = new Countdown();
/** @type {{ page: string, ends_at: string, device: any, late: boolean, refused: string, pasted: boolean }} */
const live = { page: "", ends_at: "", device: null, late: false, refused: "", pasted: false };
const NOTHING = { ...live };
const PATIENCE = 8000; // milliseconds until somebody whose browser cannot come back is told what else there is
/** @type {any} */
let waiting;
/** @type {Record<string, [string, string]>} what its button says first, and beside another */
const LABELS = {
  browser: ["Open the sign-in page", "Open the sign-in page instead"],
  device: ["Sign in with a device code", "Use a device code instead"],
  paste: ["Open the page, then paste its address", "Paste the address instead"],
};
/** @type {Set<() => void>} */
const views = new Set();
/** The window that a click opened and that waits for its address. @type {Window | null} */
let opened = null;

/** @param {{ model: any }} context */
function initialize({ model }) {
  model.on("msg:custom", (/** @type {any} */ message) => {
    if (message.kind === "page") show_page(message, is_elsewhere(model.get("gate")));
    if (message.kind === "pasted") Object.assign(live, { refused: message.sentence, pasted: !message.sentence });
    if (message.kind === "device") {
      live.device = message;
      countdown.set(message.remaining, message.remaining);
    }
    if (message.kind === "nothing") {
      clearTimeout(waiting);
      Object.assign(live, NOTHING);
    }
    views.forEach((again) => again());
  });
  model.on("change:gate", () => {
    const { kind } = model.get("gate");
    if (!["asking", "browser", "paste"].includes(kind)) close_opened();
    views.forEach((again) => again());
  });
  model.send({ command: "look" });
}

/** @param {any} message @param {boolean} elsewhere */
function show_page({ url, ends_at }, elsewhere) {
  Object.assign(live, { page: reachable(url, elsewhere), ends_at });
  if (opened && !opened.closed && live.page) opened.location.replace(live.page);
  opened = null;
  clearTimeout(waiting);
  waiting = setTimeout(() => { live.late = true; views.forEach((again) => again()); }, PATIENCE);
}

function close_opened() {
  if (opened && !opened.closed) opened.close();
  opened = null;
}

/** A window, opened in the click itself, since later ones are blocked; its address is still to come. */
function open_window() {
  opened = window.open("about:blank", "_blank");
  if (!opened) return;
  opened.opener = null;
  opened.document.title = "Sign in";
  opened.document.body.textContent = "Opening the sign-in page …";
}

/** The browser's way to a page on the kernel's own loopback: through Jupyter, whose base URL only the page knows. @param {string} address @param {boolean} away */
function reachable(address, away) {
  if (!safe_address(address)) return "";
  const url = new URL(address);
  if (!is_loopback(url.hostname) || !(away || !is_loopback(location.hostname))) return address;
  const path = `${base_url()}proxy/${url.port || (url.protocol === "https:" ? 443 : 80)}${url.pathname}${url.search}`;
  return new URL(path, location.href).href;
}

/** @param {string} name */
function is_loopback(name) {
  return name === "localhost" || name === "[::1]" || name.startsWith("127.");
}

function base_url() {
  try {
    return JSON.parse(document.getElementById("jupyter-config-data")?.textContent ?? "{}").baseUrl ?? "/";
  } catch {
    return "/";
  }
}

/** @param {string} address */
function shown(address) {
  const url = new URL(address);
  return `${url.host}${url.pathname === "/" ? "" : url.pathname}`;
}

/** Whether the kernel is on another machine than this browser, by what the kernel knows and by this page's own address. @param {any} gate */
function is_elsewhere({ away }) {
  return away || (location.protocol.startsWith("http") && !is_loopback(location.hostname));
}

/** The ways to offer, best first: those that the kernel knows to be left, else those that fit this place. @param {any} gate */
function ways_of(gate) {
  return gate.ways.length ? gate.ways : is_elsewhere(gate) ? ["device", "paste"] : ["browser", "device"];
}

/** Why the first way is not the usual one. @param {any} gate @param {string} first */
function why(gate, first) {
  if (first === "browser" || !is_elsewhere(gate)) return "";
  return first === "device"
    ? "This notebook runs on another machine; a code works from any browser."
    : "This notebook runs on another machine, so the address at which the page ends is carried back by hand.";
}

/** @param {string} title @param {...any} rest */
function column(title, ...rest) {
  return h("div", { class: "ge-column" }, h("h3", {}, title), ...rest);
}

/** @param {any} gate */
function asks({ client_id, scope }) {
  const wanted = scope.length ? [", asking for ", wire(scope.join(" "))] : [", asking for no scope by name"];
  return h("p", { class: "ge-soft" }, "as client ", wire(client_id), ...wanted);
}

/** @param {any} gate */
function trouble({ sentence }) {
  return sentence && h("p", { class: "ge-trouble", role: "alert" }, sentence);
}

/** @param {any} model */
function drawings(model) {
  const send = (/** @type {string} */ command) => () => model.send({ command });
  const go = (/** @type {string} */ label, /** @type {string} */ command) => button(label, send(command), { class: "ge-button ge-primary" });
  const cancel = button("Cancel", send("cancel_sign_in"), { class: "ge-quiet" });
  const go_by = (/** @type {string} */ way, /** @type {number} */ at) =>
    button(LABELS[way][at ? 1 : 0], () => {
      if (way !== "device") open_window();
      model.send({ command: "sign_in", method: way, away: is_elsewhere(model.get("gate")) });
    }, { class: at ? "ge-quiet" : "ge-button ge-primary" });
  const paste = paste_form(model);
  const retry = (/** @type {any} */ gate) => column(gate.title, trouble(gate), go(gate.again || "Try again", "connect"));
  const wait = (/** @type {any} */ gate) => column(gate.title, h("p", { class: "ge-faint", role: "status" }, gate.sentence));

  return {
    offer: (/** @type {any} */ gate) => column(
      "Nothing connected yet",
      gate.demo && h("p", { class: "ge-soft" }, "The demo is an authorization server and a UserService, on this machine only."),
      trouble(gate), gate.demo && go("Start the demo", "start_demo"),
      h("p", { class: "ge-faint" }, gate.demo ? "or, in a cell, " : "In a cell: ", wire('explorer.explore(target="localhost:50051")')),
    ),
    wait,
    retry,
    "sign in": (/** @type {any} */ gate) => {
      const [first, ...rest] = ways_of(gate).map(go_by);
      const because = why(gate, ways_of(gate)[0]);
      const back = gate.leave && button("Back", send("cancel_sign_in"), { class: "ge-quiet" });
      return column(
        `Sign in to ${gate.host}`, asks(gate), keeps(gate), trouble(gate), first,
        because && h("p", { class: "ge-faint" }, because), h("p", { class: "ge-row" }, ...rest, back),
      );
    },
    asking: (/** @type {any} */ gate) => column(`Sign in to ${gate.host}`, asks(gate), h("p", { class: "ge-faint", role: "status" }, `Asking ${gate.host} …`), cancel),
    browser: (/** @type {any} */ gate) => column(
      `Sign in to ${gate.host}`, asks(gate),
      page_link("Open the sign-in page again", "ge-button", send("look")),
      h("p", { class: "ge-faint", role: "status" }, live.pasted ? "signing in …" : "waiting for the sign-in page …"),
      live.late && !live.pasted && h("p", { class: "ge-soft" }, "Did it end at a page that cannot be reached? Paste its address here."),
      live.late && paste.drawn(),
      h("p", { class: "ge-row" }, go_by("device", 1), cancel),
    ),
    paste: (/** @type {any} */ gate) => column(
      `Sign in to ${gate.host}`, asks(gate),
      page_link("Open the sign-in page", "ge-button", send("look")),
      h("p", { class: "ge-soft" }, "It ends at an address that begins with ", wire(`${live.ends_at}?`), " and may fail to load. Copy all of it, and paste it here."),
      paste.drawn(),
      live.pasted && h("p", { class: "ge-faint", role: "status" }, "signing in …"),
      h("p", { class: "ge-row" }, go_by("device", 1), cancel),
    ),
    device: (/** @type {any} */ gate) => device_column(gate, cancel, send("look")),
  };
}

/** @param {string} label @param {string} classes @param {() => void} look */
function page_link(label, classes, look) {
  return live.page ? link(live.page, label, { class: classes }) : button("Show the sign-in page's address", look, { class: classes });
}

/** A field for the address at which the browser ended: masked, because the code is in it, and never kept. @param {any} model */
function paste_form(model) {
  const field = h("input", {
    type: "password", class: "ge-input ge-address", autocomplete: "off", spellcheck: "false",
    "aria-label": "The address at which the sign-in ended", placeholder: "the whole address, pasted",
  });
  const said = h("p", { class: "ge-trouble", role: "alert" });
  const form = h("form", {
    class: "ge-paste",
    onsubmit: (/** @type {Event} */ event) => {
      event.preventDefault();
      if (!field.value.trim()) return;
      model.send({ command: "paste", address: field.value });
      field.value = "";
    },
  }, field, h("button", { type: "submit", class: "ge-button" }, "Go on"));
  return { drawn: () => live.pasted ? null : h("div", { class: "ge-paste-all" }, form, live.refused && fill(said, live.refused)) };
}

/** @param {any} gate */
function keeps({ keeps }) {
  return keeps && h("p", { class: "ge-faint" }, "The refresh token is kept ", keeps, ".");
}

/** @param {any} gate @param {Node} cancel @param {() => void} look */
function device_column(gate, cancel, look) {
  const { device } = live;
  if (!device) return column(`Sign in to ${gate.host}`, asks(gate), button("Show the code", look, { class: "ge-button" }), cancel);
  const page = reachable(device.verification_uri, gate.away);
  const complete = device.verification_uri_complete && reachable(device.verification_uri_complete, gate.away);
  const anywhere = page && !is_loopback(new URL(page).hostname);
  return column(
    `Sign in to ${gate.host}`, asks(gate),
    page && link(complete || page, "Open the sign-in page", { class: "ge-button ge-primary" }),
    page
      ? h("p", { class: "ge-faint" }, anywhere ? "or, on any device, open " : "or open ", link(page, shown(page)), " and enter")
      : h("p", { class: "ge-faint" }, "open ", wire(device.verification_uri), " and enter"),
    h("output", { class: "ge-code", "aria-label": "user code" }, device.user_code),
    h("p", { class: "ge-faint" }, "valid for ", h("span", { class: "ge-valid", role: "timer" }), " · enter it only if you started this · waiting …"),
    cancel,
  );
}

/** @param {{ model: any, el: HTMLElement }} context */
function render({ model, el }) {
  own_keys(el);
  const draw_by = /** @type {Record<string, (gate: any) => Node>} */ (drawings(model));
  const draw_time = () => {
    const place = el.querySelector(".ge-valid");
    const remaining = countdown.remaining();
    if (place) place.textContent = remaining === null ? "some minutes" : duration(remaining);
  };
  const { tick, stop } = ticking(countdown, draw_time);
  const draw = () => {
    const gate = model.get("gate");
    el.dataset.kind = gate.kind;
    fill(el, draw_by[gate.kind]?.(gate));
    tick();
  };
  draw();
  views.add(draw);
  return () => { stop(); views.delete(draw); };
}

export default { initialize, render };
