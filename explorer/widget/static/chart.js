// @ts-check
import { count, h, svg } from "./dom.js";

// Where a token's life is drawn: two lanes on a time axis that ends now. Times are ages, so that only the browser's own
// clock counts; a mark is made once and then moves, so that what the pointer rests on stays.
const GUTTER = 44;
const RIGHT = 14;
const HEIGHT = 84;
const LANES = { token: 18, calls: 44 };
const FLOOR = 62;
/** Seconds that the axis spans, and seconds between its marks. */
const SPANS = [[60, 15], [300, 60], [600, 120], [1800, 600], [3600, 900], [7200, 1800], [14_400, 3600], [28_800, 7200], [86_400, 21_600], [604_800, 86_400]];
/** @type {Record<string, [string, string]>} */
const WORDS = { "sign-in": ["sign-in", "sign-ins"], refresh: ["refresh", "refreshes"], call: ["call", "calls"], failure: ["failure", "failures"] };

/** @param {number} seconds */
function ago(seconds) {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${seconds / 60} min`;
  return seconds < 86_400 ? `${seconds / 3600} h` : `${seconds / 86_400} d`;
}

/** @param {any} event */
function shape({ kind, good }) {
  if (!good) return svg("path", { d: "M-4 -4 L4 4 M-4 4 L4 -4", class: "ge-mark-bad" });
  if (kind === "call") return svg("path", { d: "M0 -6 V6", class: "ge-mark-call" });
  return svg("circle", { r: kind === "sign-in" ? 5 : 4.5, class: kind === "sign-in" ? "ge-mark-begin" : "ge-mark-refresh" });
}

/** The time of day by this browser. @param {number} age seconds */
export function time_of_day(age) {
  return new Date(Date.now() - age * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
}

/** What the picture shows, in words. @param {any[]} events */
export function in_words(events) {
  if (!events.length) return "Nothing has happened yet.";
  const kinds = events.map((event) => (event.kind !== "call" || event.good ? event.kind : "failure"));
  const parts = Object.keys(WORDS).flatMap((kind) => {
    const number = kinds.filter((one) => one === kind).length;
    return number ? [`${count(number)} ${WORDS[kind][number === 1 ? 0 : 1]}`] : [];
  });
  return `Timeline: ${parts.join(", ")}.`;
}

/** The timeline: `set` gives it events, `place` puts them where they are by now. */
export function timeline() {
  const lines = svg("g", {});
  const dots = svg("g", {});
  const lanes = Object.entries(LANES).map(([name, y]) => {
    const label = svg("text", { x: 0, y: y + 4, class: "ge-chart-words" });
    label.textContent = name;
    return label;
  });
  const element = svg("svg", { class: "ge-chart", role: "img", height: HEIGHT }, ...lanes, lines, dots);
  const frame = h("div", { class: "ge-chart-frame" }, element);
  /** @type {{ age: number, lane: number, mark: Element }[]} */
  let marks = [];
  let drawn = "";

  /** @param {number} width @param {number} span @param {number} step */
  const draw_axis = (width, span, step) => {
    if (drawn === `${width} ${span}`) return;
    drawn = `${width} ${span}`;
    element.setAttribute("width", String(width));
    element.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    const across = Object.values(LANES).map((y) => svg("path", { d: `M${GUTTER} ${y} H${width - RIGHT}`, class: "ge-chart-line" }));
    const labels = [];
    for (let seconds = 0; seconds <= span; seconds += step) {
      const x = GUTTER + (width - GUTTER - RIGHT) * (1 - seconds / span);
      const words = svg("text", { x, y: FLOOR + 17, class: "ge-chart-words", "text-anchor": "middle" });
      words.textContent = seconds ? `−${ago(seconds)}` : "now";
      labels.push(svg("path", { d: `M${x} ${LANES.token - 10} V${FLOOR}`, class: seconds ? "ge-chart-line" : "ge-chart-now" }), words);
    }
    lines.replaceChildren(...across, ...labels);
  };

  /** @param {any[]} events */
  const set = (events) => {
    element.setAttribute("aria-label", in_words(events));
    marks = events.map((event) => {
      const said = svg("title", {});
      said.textContent = `${time_of_day(event.age)} ${event.sentence}`;
      const room = svg("rect", { x: -6, y: -10, width: 12, height: 20, fill: "transparent" }); // something to point at
      return { age: event.age, lane: event.kind === "call" ? LANES.calls : LANES.token, mark: svg("g", { class: "ge-mark" }, room, shape(event), said) };
    });
    dots.replaceChildren(...marks.map(({ mark }) => mark));
  };

  /** @param {number} passed seconds since the ages were true */
  const place = (passed) => {
    const width = Math.max(200, frame.clientWidth || 0);
    const oldest = Math.max(0, ...marks.map(({ age }) => age + passed));
    const [span, step] = SPANS.find(([length]) => length >= oldest) ?? SPANS[SPANS.length - 1];
    draw_axis(width, span, step);
    for (const { age, lane, mark } of marks) {
      const part = (age + passed) / span;
      const x = GUTTER + (width - GUTTER - RIGHT) * (1 - part);
      mark.setAttribute("transform", `translate(${x.toFixed(1)} ${lane})`);
      mark.setAttribute("visibility", part > 1 ? "hidden" : "visible");
    }
  };
  return { frame, set, place };
}
