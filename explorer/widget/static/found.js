// @ts-check
// Finding names by typing: any part of the name, or the humps of it (gu finds GetUser).

/** Whether the letters are beginnings of a name's humps, in order. @param {string} letters @param {string[]} humps */
function by_humps(letters, humps, at = 0) {
  if (!letters) return true;
  for (let hump = at; hump < humps.length; hump += 1) {
    for (let size = Math.min(letters.length, humps[hump].length); size > 0; size -= 1) {
      if (humps[hump].startsWith(letters.slice(0, size)) && by_humps(letters.slice(size), humps, hump + 1)) return true;
    }
  }
  return false;
}

/** @param {string} name */
export function humps_of(name) {
  return (name.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+/g) ?? []).map((hump) => hump.toLowerCase());
}

/** How well a word fits a name: 0 not at all, 4 exactly. @param {string} word @param {string} name its last part, in lower case @param {string[]} humps @param {string} whole in lower case */
export function fit(word, name, humps, whole) {
  if (name === word) return 4;
  if (name.startsWith(word)) return 3;
  if (word.length < 20 && by_humps(word, humps)) return 2;
  return whole.includes(word) ? 1 : 0;
}

/**
 * Those that have all typed words, the best first.
 * @template T @param {T[]} all @param {string} typed @param {(one: T) => string} whole @param {(one: T) => string} last
 */
export function found_in(all, typed, whole, last) {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return all;
  const ranked = all.map((one) => {
    const [name, humps, text] = [last(one).toLowerCase(), humps_of(last(one)), whole(one).toLowerCase()];
    return { one, rank: Math.min(...words.map((word) => fit(word, name, humps, text))) };
  });
  return ranked.filter(({ rank }) => rank > 0).sort((a, b) => b.rank - a.rank).map(({ one }) => one);
}
