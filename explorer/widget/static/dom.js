// @ts-check
// What all panels draw with. Text that came over the wire only ever becomes a text node: there is no way in here to write markup.

/**
 * An element with properties and children.
 * @param {string} tag
 * @param {Record<string, any>} [properties] `on…` are listeners, `class` the classes, `data` the dataset, the rest attributes; null and false are left out
 * @param {...(Node | string | number | null | undefined | false)} children
 * @returns {any}
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked") Reflect.set(element, name, value);
    else if (name === "data") Object.assign(element.dataset, value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  return fill(element, ...children);
}

/**
 * The element with these children and no others.
 * @param {any} element
 * @param {...(Node | string | number | null | undefined | false)} children
 */
export function fill(element, ...children) {
  const present = children.filter((child) => child !== null && child !== undefined && child !== false && child !== "");
  element.replaceChildren(...present.map((child) => (child instanceof Node ? child : document.createTextNode(String(child)))));
  return element;
}

/**
 * An SVG element.
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 * @param {...Node} children
 */
export function svg(tag, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/** Text as it came over the wire. @param {any} content @param {Record<string, any>} [properties] */
export function wire(content, properties = {}) {
  return h("span", { ...properties, class: `ge-wire ${properties.class ?? ""}` }, content);
}

/** @param {string} label @param {(event: any) => void} onclick @param {Record<string, any>} [properties] */
export function button(label, onclick, properties = {}) {
  return h("button", { type: "button", class: "ge-button", ...properties, onclick }, label);
}

/** A rounded mark: `good`, `bad`, `late` or plain. @param {string} label @param {string} [tone] @param {Record<string, any>} [properties] */
export function badge(label, tone = "", properties = {}) {
  return h("span", { ...properties, class: `ge-badge ${tone && `ge-${tone}`}` }, label);
}

/** A link that tells the page it opens nothing about this one. @param {string} address @param {any} label @param {Record<string, any>} [properties] */
export function link(address, label, properties = {}) {
  return h("a", { ...properties, href: safe_address(address), target: "_blank", rel: "noopener noreferrer" }, label);
}

/** The address if a browser may be sent there, else null: nothing but http and https. @param {string} address */
export function safe_address(address) {
  try {
    const { protocol } = new URL(address);
    return protocol === "https:" || protocol === "http:" ? address : null;
  } catch {
    return null;
  }
}

/**
 * Tabs, of which one is chosen; arrow keys go from one to the next.
 * @param {string} label
 * @param {string[]} names
 * @param {string} chosen
 * @param {(name: string) => void} onchoose
 */
export function tabs(label, names, chosen, onchoose) {
  const one = (/** @type {string} */ name) =>
    h("button", {
      type: "button", class: "ge-tab", role: "tab", "aria-selected": String(name === chosen),
      tabindex: name === chosen ? 0 : -1, onclick: () => onchoose(name),
    }, name);
  return h("div", {
    class: "ge-tabs", role: "tablist", "aria-label": label,
    onkeydown: (/** @type {KeyboardEvent} */ event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const list = /** @type {HTMLElement} */ (event.currentTarget);
      const root = /** @type {HTMLElement} */ (list.parentElement);
      onchoose(names[(names.indexOf(chosen) + step + names.length) % names.length]);
      /** @type {HTMLElement | null} */ (root.querySelector('[role=tab][aria-selected=true]'))?.focus();
    },
  }, ...names.map(one));
}

/** Seconds as people read them: 4:12, 1:04:12. @param {number} seconds */
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds + 0.001));
  const two = (/** @type {number} */ number) => String(number).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const rest = `${Math.floor((whole % 3600) / 60)}`;
  return hours ? `${hours}:${two(Number(rest))}:${two(whole % 60)}` : `${rest}:${two(whole % 60)}`;
}

/** A thousand as 1,000. @param {number} number */
export function count(number) {
  return number.toLocaleString("en-US");
}

/** A number and what it counts. @param {number} number @param {string} noun */
export function plural(number, noun) {
  return `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
}

/** What is said where less is drawn than there is. @param {"first" | "last"} end @param {number} drawn @param {number} total @param {string} things @param {string} place */
export function capped(end, drawn, total, things, place) {
  return total > drawn && h("p", { class: "ge-faint ge-cap" }, `The ${end} ${count(drawn)} of ${count(total)} ${things} are drawn; all are in `, wire(place), ".");
}

/** Keys pressed in here are not the notebook's: Shift+Enter would run its cell again. @param {HTMLElement} element */
export function own_keys(element) {
  element.setAttribute("data-lm-suppress-shortcuts", "true");
  element.setAttribute("data-jp-suppress-context-menu", "");
  for (const kind of ["keydown", "keypress", "keyup"]) element.addEventListener(kind, (event) => event.stopPropagation());
  element.addEventListener("keydown", (event) => save_outside(element, event));
}

/** But saving is: nobody who types here should lose a notebook. @param {HTMLElement} element @param {KeyboardEvent} event */
function save_outside(element, event) {
  const outside = element.closest(".grpc-explorer")?.parentElement;
  if (!outside || event.key.toLowerCase() !== "s" || event.altKey || event.ctrlKey === event.metaKey) return;
  if (!outside.dispatchEvent(new KeyboardEvent("keydown", event))) event.preventDefault(); // taken: the page itself is not to be saved, too
}

/**
 * Seconds that run down by this browser's own clock from what the kernel said was left.
 * Kernel and browser clocks differ, so only the length counts, from the moment it arrived.
 */
export class Countdown {
  constructor() {
    /** @type {number | null} */ this.lifetime = null;
    /** @type {number | null} */ this.left = null;
    this.arrived = 0;
  }

  /** @param {number | null} remaining @param {number | null} lifetime */
  set(remaining, lifetime) {
    this.left = remaining;
    this.lifetime = lifetime;
    this.arrived = performance.now();
  }

  /** Seconds left, null where nobody knows. */
  remaining() {
    return this.left === null ? null : Math.max(0, this.left - (performance.now() - this.arrived) / 1000);
  }

  /** Milliseconds until the shown second changes. */
  until_next_second() {
    const remaining = this.remaining();
    return remaining === null || remaining <= 0 ? null : Math.max(20, (remaining % 1) * 1000 + 5);
  }
}

/**
 * Calls `draw` now and at each change of the shown second; returns what starts it over, and what ends it.
 * @param {Countdown} countdown
 * @param {() => void} draw
 */
export function ticking(countdown, draw) {
  /** @type {any} */
  let timer;
  const tick = () => {
    clearTimeout(timer);
    draw();
    const wait = countdown.until_next_second();
    if (wait !== null) timer = setTimeout(tick, wait);
  };
  return { tick, stop: () => clearTimeout(timer) };
}
