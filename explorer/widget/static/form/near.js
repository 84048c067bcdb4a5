// @ts-check
// Which known names somebody may have meant.

/** How many letters two words differ by. @param {string} one @param {string} other */
function distance(one, other) {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let line = 1; line <= one.length; line += 1) {
    const next = [line];
    for (let at = 1; at <= other.length; at += 1) {
      next.push(Math.min(row[at] + 1, next[at - 1] + 1, row[at - 1] + Number(one[line - 1] !== other[at - 1])));
    }
    row = next;
  }
  return row[other.length];
}

/** At most three of the names, the nearest first. @param {string} name @param {string[]} names */
export function near(name, names) {
  const plain = (/** @type {string} */ text) => text.slice(0, 60).toLowerCase().replaceAll("_", "");
  const asked = plain(name);
  const ranked = names.map((one) => {
    const known = plain(one);
    const inside = asked.length > 2 && (known.includes(asked) || asked.includes(known));
    return { one, off: inside ? 1 : distance(asked, known), limit: Math.max(asked.length, known.length) / 2 };
  });
  return ranked.filter(({ off, limit }) => off < limit).sort((a, b) => a.off - b.off).slice(0, 3).map(({ one }) => one);
}

/** What to do about an unknown name. @param {string} name @param {string[]} names */
export function hint(name, names) {
  const found = near(name, names);
  if (found.length) return `Did you mean ${found.join(" or ")}?`;
  return names.length ? `Known are ${names.slice(0, 8).join(", ")}${names.length > 8 ? " …" : ""}.` : "There is none.";
}
