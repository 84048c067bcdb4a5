// @ts-check
// Bytes: base64 as typed, or a file's, by button or by dropping it here; and back into a file.
import { fill, h } from "../dom.js";
import { line_input } from "./controls.js";
import { side_button } from "./place.js";

const LARGEST = 7 * 1024 * 1024; // as base64 in one message to the kernel, of which Jupyter takes 10 MiB
const TYPED_AT_MOST = 4096; // characters an input is fast with

/** @param {number} size */
function amount(size) {
  if (size < 1024) return `${size} B`;
  return size < 1024 * 1024 ? `${(size / 1024).toFixed(1)} KiB` : `${(size / 1024 / 1024).toFixed(1)} MiB`;
}

/** @param {string} raw */
function size_of(raw) { return Math.floor((raw.trim().replace(/=+$/, "").length * 3) / 4); }

/** @param {any} leaf @param {any} place @param {string} label */
export function bytes_input(leaf, place, label) {
  const holder = h("div", { class: "ge-with ge-bytes" });
  const chooser = h("input", { type: "file", hidden: true, onchange: () => { read(chooser.files?.[0]); chooser.value = ""; } });
  const read = (/** @type {File | undefined} */ file) => {
    if (!file) return;
    if (file.size > LARGEST) { place.say(`${file.name} has ${amount(file.size)}; from here at most ${amount(LARGEST)} can be sent. Python has no such limit.`); return; }
    const reader = new FileReader();
    reader.onload = () => {
      leaf.file = file.name;
      place.say("");
      place.set(leaf, String(reader.result).replace(/^[^,]*,?/, ""));
      draw();
    };
    reader.onerror = () => place.say(`${file.name} cannot be read.`);
    reader.readAsDataURL(file);
  };
  const input = () => {
    if (leaf.raw.length <= TYPED_AT_MOST) return line_input(leaf, place, label, { class: "ge-input ge-wire", placeholder: "base64, or drop a file" });
    return place.holds(h("input", { ...place.attributes(label), class: "ge-input", type: "text", readonly: true, value: `${leaf.file ?? "bytes"} · ${amount(size_of(leaf.raw))}` }));
  };
  const draw = () => fill(holder, input(), chooser,
    leaf.raw.length > TYPED_AT_MOST && side_button("✕", `empty ${label}`, () => { leaf.raw = ""; leaf.file = undefined; draw(); place.edited(); place.input.focus(); }),
    side_button("File …", `${label} from a file`, () => chooser.click()),
    side_button("Save", `save ${label} to a file`, () => save(leaf, place)));
  holder.addEventListener("dragover", (/** @type {DragEvent} */ event) => { event.preventDefault(); event.stopPropagation(); });
  holder.addEventListener("drop", (/** @type {DragEvent} */ event) => { event.preventDefault(); event.stopPropagation(); read(event.dataTransfer?.files[0]); });
  draw();
  return holder;
}

/** @param {any} leaf @param {any} place */
function save(leaf, place) {
  if (leaf.problem()) { place.done(); return; }
  const text = atob(leaf.raw.trim().replaceAll("-", "+").replaceAll("_", "/").replace(/=+$/, ""));
  const blob = new Blob([Uint8Array.from(text, (letter) => letter.charCodeAt(0))], { type: "application/octet-stream" });
  const address = URL.createObjectURL(blob);
  h("a", { href: address, download: leaf.file ?? `${leaf.field.name.replace(/\W/g, "") || "bytes"}.bin` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
