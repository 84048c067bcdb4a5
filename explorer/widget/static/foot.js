// @ts-check
import { count, fill, h, own_keys, wire } from "./dom.js";

/** @param {{ model: any, el: HTMLElement }} context */
function render({ model, el }) {
  own_keys(el);
  const draw = () => {
    const rows = model.get("rows");
    if (!rows) fill(el, h("span", { class: "ge-faint" }, "Nothing collected yet"));
    else fill(el, h("b", {}, count(rows)), ` row${rows === 1 ? "" : "s"} in `, wire("widget.responses"));
  };
  draw();
  model.on("change:rows", draw);
  return () => model.off("change:rows", draw);
}

export default { render };
