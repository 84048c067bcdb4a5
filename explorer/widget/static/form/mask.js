// @ts-check
// A FieldMask: its paths as text, and the same paths as a tree to tick.
import { fill, h } from "../dom.js";
import { line_input, selection } from "./controls.js";
import { side_button } from "./place.js";
import { paths_of } from "./scalars.js";

/**
 * @param {any} leaf @param {any} place @param {string} label
 * @param {string[]} candidates the types that it may speak of, the likeliest first
 */
export function mask_input(leaf, place, label, candidates) {
  const tree = h("div", { class: "ge-mask", role: "group", "aria-label": `paths of ${label}`, hidden: true });
  const line = line_input(leaf, place, label, { class: "ge-input ge-wire", placeholder: "name,address.city" });
  const toggle = side_button("Paths", `choose paths of ${label}`, () => show(tree.hidden), { "aria-expanded": "false" });
  const show = (/** @type {boolean} */ open) => {
    tree.hidden = !open;
    toggle.setAttribute("aria-expanded", String(open));
    if (open) draw();
  };
  tree.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    show(false);
    toggle.focus();
  });
  let type = candidates[0];
  const draw = () => {
    const choose = candidates.length > 1 && selection(candidates.map((name) => [name, name]), type, {
      "aria-label": `type whose paths ${label} names`, onchange: (/** @type {any} */ event) => { type = event.target.value; draw(); },
    });
    fill(tree, choose && h("label", { class: "ge-soft ge-mask-type" }, "Paths of", choose), branch(new Tree(leaf, place, line), type, ""));
  };
  line.addEventListener("input", () => !tree.hidden && draw());
  return h("div", {}, h("div", { class: "ge-with" }, line, candidates.length ? toggle : null), tree);
}

class Tree {
  /** @param {any} leaf @param {any} place @param {any} line */
  constructor(leaf, place, line) {
    this.leaf = leaf;
    this.place = place;
    this.line = line;
    /** @type {(() => void)[]} */ this.marks = [];
  }

  /** @param {string} path @returns {"all" | "some" | "none"} */
  state(path) {
    const paths = paths_of(this.leaf.raw);
    if (paths.some((one) => path === one || path.startsWith(`${one}.`))) return "all";
    return paths.some((one) => one.startsWith(`${path}.`)) ? "some" : "none";
  }

  /** Whether a path above it includes it already. @param {string} path */
  within(path) { return paths_of(this.leaf.raw).some((one) => path.startsWith(`${one}.`)); }

  /** @param {string} path @param {boolean} ticked */
  tick(path, ticked) {
    const kept = paths_of(this.leaf.raw).filter((one) => one !== path && !one.startsWith(`${path}.`));
    this.line.value = [...kept, ...(ticked ? [path] : [])].join(",");
    this.place.set(this.leaf, this.line.value);
    this.place.done();
    for (const mark of this.marks) mark();
  }
}

/** @param {Tree} tree @param {string} type @param {string} path */
function branch(tree, type, path) {
  const holder = h("ul", { class: "ge-mask-branch" }, h("li", { class: "ge-faint" }, "…"));
  const { types } = tree.leaf;
  types.need(type, () => {
    const fields = types.get(type)?.fields ?? [];
    fill(holder, ...fields.map((/** @type {any} */ field) => twig(tree, field, path ? `${path}.${field.name}` : field.name)));
  });
  return holder;
}

/** @param {Tree} tree @param {any} field @param {string} path */
function twig(tree, field, path) {
  const box = h("input", { type: "checkbox", class: "ge-check", data: { path }, onchange: () => tree.tick(path, box.checked) });
  const mark = () => {
    const state = tree.state(path);
    box.checked = state === "all";
    box.indeterminate = state === "some";
    box.disabled = tree.within(path);
  };
  tree.marks.push(mark);
  mark();
  const name = h("label", { title: field.help || null }, box, field.name, " ", h("span", { class: "ge-faint" }, field.type));
  if (field.kind !== "message" || field.many) return h("li", {}, name); // a path ends at a list or map
  const inner = h("div", { hidden: true });
  const open = side_button("▸", `paths within ${field.name}`, () => {
    inner.hidden = !inner.hidden;
    open.textContent = inner.hidden ? "▸" : "▾";
    open.setAttribute("aria-expanded", String(!inner.hidden));
    if (!inner.firstChild) inner.append(branch(tree, field.of, path));
  }, { "aria-expanded": "false", class: "ge-side ge-fold" });
  if (box.indeterminate) open.click();
  return h("li", {}, name, open, inner);
}
