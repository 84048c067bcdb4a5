// @ts-check
import { Countdown, button, duration, fill, h, link, own_keys, safe_address, ticking, wire } from "./dom.js";

// What must not rest in widget state comes by message and rests here: the sign-in page's address, the user code.
const countdown = new Countdown();
/** @type {{ page: string, device: any }} */
const live = { page: "", device: null };
/** @type {Set<() => void>} */
const views = new Set();
/** The window that a click opened and that waits for its address. @type {Window | null} */
let opened = null;

/** @param {{ model: any }} context */
function initialize({ model }) {
  model.on("msg:custom", (/** @type {any} */ message) => {
    if (message.kind === "page") show_page(message.url);
    if (message.kind === "device") {
      live.device = message;
      countdown.set(message.remaining, message.remaining);
    }
    if (message.kind === "nothing") Object.assign(live, { page: "", device: null });
    views.forEach((again) => again());
  });
  model.on("change:gate", () => {
    const { kind } = model.get("gate");
    if (kind !== "browser" && kind !== "asking") close_opened();
    views.forEach((again) => again());
  });
  model.send({ command: "look" });
}

/** @param {string} url */
function show_page(url) {
  live.page = safe_address(url) ?? "";
  if (opened && !opened.closed && live.page) opened.location.replace(live.page);
  opened = null;
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
  const by_browser = (/** @type {string} */ classes, label = "Open the sign-in page") =>
    button(label, () => { open_window(); model.send({ command: "sign_in", method: "browser" }); }, { class: classes });
  const by_device = (/** @type {string} */ label, /** @type {string} */ classes) =>
    button(label, () => model.send({ command: "sign_in", method: "device" }), { class: classes });
  const retry = (/** @type {any} */ gate) => column(gate.title, trouble(gate), go(gate.again || "Try again", "connect"));
  const wait = (/** @type {any} */ gate) => column(gate.title, h("p", { class: "ge-faint", role: "status" }, gate.sentence));

  return {
    offer: (/** @type {any} */ gate) => column(
      "Nothing connected yet",
      h("p", { class: "ge-soft" }, "The demo is an authorization server and a UserService, on this machine only."),
      trouble(gate), gate.demo && go("Start the demo", "start_demo"),
      h("p", { class: "ge-faint" }, "or, in a cell, ", wire('explorer.explore(target="localhost:50051")')),
    ),
    wait,
    retry,
    "sign in": (/** @type {any} */ gate) => column(
      `Sign in to ${gate.host}`, asks(gate), trouble(gate),
      gate.away || !is_loopback(location.hostname) ? by_device("Sign in with a device code", "ge-button ge-primary") : by_browser("ge-button ge-primary"),
      !gate.away && (is_loopback(location.hostname) ? by_device("Use a device code instead", "ge-quiet") : by_browser("ge-quiet", "Open the sign-in page instead")),
      gate.leave && button("Back", send("cancel_sign_in"), { class: "ge-quiet" }),
    ),
    asking: (/** @type {any} */ gate) => column(`Sign in to ${gate.host}`, asks(gate), h("p", { class: "ge-faint", role: "status" }, `Asking ${gate.host} …`), cancel),
    browser: (/** @type {any} */ gate) => column(
      `Sign in to ${gate.host}`, asks(gate),
      live.page ? link(live.page, "Open the sign-in page again", { class: "ge-button" }) : button("Show the sign-in page's address", send("look"), { class: "ge-button" }),
      h("p", { class: "ge-faint", role: "status" }, "waiting for the sign-in page …"),
      h("p", { class: "ge-row" }, by_device("Use a device code instead", "ge-quiet"), cancel),
    ),
    device: (/** @type {any} */ gate) => device_column(gate, cancel, send("look")),
  };
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
