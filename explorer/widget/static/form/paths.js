// @ts-check
// Where a value is: address.city, tags[3], attributes["x"].

/** @typedef {{ name: string } | { index: number } | { key: string }} Step */

/** @param {string} path @param {string} name */
export function at_name(path, name) { return path ? `${path}.${name}` : name; }

/** @param {string} path @param {number} index */
export function at_index(path, index) { return `${path}[${index}]`; }

/** @param {string} path @param {string} key */
export function at_key(path, key) { return `${path}[${JSON.stringify(key)}]`; }

const STEP = /\.?([^.[\]]+)|\[\s*(?:(\d+)|("(?:[^"\\]|\\.)*")|'([^']*)'|([^\]]*))\s*\]/y;

/** A path's steps, however a server spells it (users[0].name, users.0.name, attributes[x]); null where it is none. @param {string} path */
export function steps_of(path) {
  /** @type {Step[]} */
  const steps = [];
  for (STEP.lastIndex = 0; STEP.lastIndex < path.length;) {
    const found = STEP.exec(path);
    if (!found) return null;
    steps.push(step_of(found));
  }
  return steps;
}

/** @param {RegExpExecArray} found @returns {Step} */
function step_of([, name, index, quoted, single, bare]) {
  if (name !== undefined) return { name };
  if (index !== undefined) return { index: Number(index) };
  if (quoted === undefined) return { key: single ?? bare };
  try {
    return { key: JSON.parse(quoted) };
  } catch {
    return { key: quoted };
  }
}
