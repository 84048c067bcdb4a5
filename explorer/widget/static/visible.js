// @ts-check
// Whether anybody looks. The kernel stops renewing a token that nobody needs; a person who sees its countdown needs it.

const SAY_EVERY = 240_000; // milliseconds; renewing rests after ten minutes in which nothing was said

/**
 * Calls `say` now and then while the element is to be seen, and once when it comes into sight after a long time;
 * returns what ends that. The first time is a while away: whoever draws has just asked for the state.
 * @param {Element} element
 * @param {() => void} say
 */
export function while_visible(element, say) {
  let said = performance.now();
  let in_sight = false;
  /** @type {any} */
  let timer;
  const look = () => {
    clearTimeout(timer);
    if (!in_sight || document.visibilityState !== "visible") return;
    if (performance.now() - said >= SAY_EVERY) {
      said = performance.now();
      say();
    }
    timer = setTimeout(look, said + SAY_EVERY - performance.now() + 10);
  };
  const observer = new IntersectionObserver((entries) => {
    in_sight = entries[entries.length - 1].isIntersecting;
    look();
  });
  observer.observe(element);
  document.addEventListener("visibilitychange", look);
  return () => {
    clearTimeout(timer);
    observer.disconnect();
    document.removeEventListener("visibilitychange", look);
  };
}
