// @ts-check
// Timestamps and durations as ProtoJSON spells them. RFC 3339, and protobuf's own ranges.

const TIMESTAMP = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?\s*([Zz]|[+-]\d\d:\d\d)?$/;
const SECONDS = /^-?\d{1,12}(\.\d{1,9})?s$/;
const PARTS = /(\d+(?:\.\d{1,9})?)\s*(h|min|m|s|ms|us|µs|ns)(?![a-zµ])\s*/y;
const NANOS = { h: 3_600_000_000_000n, min: 60_000_000_000n, m: 60_000_000_000n, s: 1_000_000_000n, ms: 1_000_000n, us: 1000n, "µs": 1000n, ns: 1n };
const LONGEST = 315_576_000_000n * 1_000_000_000n;

/** @param {string} raw @returns {{ problem: string, text: string, millis: number }} */
export function timestamp(raw) {
  const wrong = (/** @type {string} */ problem) => ({ problem, text: raw, millis: Number.NaN });
  const found = TIMESTAMP.exec(raw.trim());
  if (!found) return wrong(`${raw.trim() || "Nothing"} is not a time such as 2026-01-31T12:00:00Z.`);
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map((part) => Number(part ?? 0));
  const zone = found[8];
  if (!zone) return wrong("The time zone is missing: add Z for UTC, or an offset such as +02:00.");
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (year < 1 || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return wrong(`There is no day ${found[1]}-${found[2]}-${found[3]}.`);
  if (hour > 23 || minute > 59 || second > 59) return wrong(`There is no time ${found[4]}:${found[5]}${found[6] ? `:${found[6]}` : ""}.`);
  const text = `${found[1]}-${found[2]}-${found[3]}T${found[4]}:${found[5]}:${found[6] ?? "00"}${found[7] ? `.${found[7]}` : ""}${zone.toUpperCase()}`;
  const millis = Date.parse(text.replace(/(\.\d{3})\d+/, "$1"));
  const [first, last] = [Date.parse("0001-01-01T00:00:00Z"), Date.parse("9999-12-31T23:59:59.999Z")];
  return millis < first || millis > last ? wrong("Protobuf knows the years 1 to 9999, in UTC.") : { problem: "", text, millis };
}

/** @param {string} raw @returns {{ problem: string, text: string }} */
export function duration_of(raw) {
  const typed = raw.trim();
  const nanos = SECONDS.test(typed) ? nanos_of(typed.slice(0, -1), "s") : sum(typed);
  if (nanos === null) return { problem: `${typed || "Nothing"} is not a duration such as 1.5s or 1h 30m.`, text: raw };
  if (nanos > LONGEST || nanos < -LONGEST) return { problem: `${typed} is more than protobuf's 10,000 years.`, text: raw };
  return { problem: "", text: SECONDS.test(typed) ? typed : seconds_text(nanos) };
}

/** @param {string} number @param {string} unit */
function nanos_of(number, unit) {
  const [whole, fraction = ""] = number.replace("-", "").split(".");
  const scale = NANOS[/** @type {keyof typeof NANOS} */ (unit)];
  const nanos = BigInt(whole) * scale + (BigInt(fraction.padEnd(9, "0")) * scale) / 1_000_000_000n;
  return number.startsWith("-") ? -nanos : nanos;
}

/** Hours, minutes and seconds together. @param {string} typed */
function sum(typed) {
  const minus = typed.startsWith("-");
  const text = minus ? typed.slice(1).trim() : typed;
  let total = 0n;
  PARTS.lastIndex = 0;
  for (let at = 0; at < text.length; at = PARTS.lastIndex) {
    const found = PARTS.exec(text);
    if (!found || found[1].length > 24) return null;
    total += nanos_of(found[1], found[2]);
  }
  return text ? (minus ? -total : total) : null;
}

/** @param {bigint} nanos */
function seconds_text(nanos) {
  const size = nanos < 0n ? -nanos : nanos;
  const digits = String(size % 1_000_000_000n).padStart(9, "0").replace(/(000)+$/, "");
  return `${nanos < 0n ? "-" : ""}${size / 1_000_000_000n}${digits ? `.${digits}` : ""}s`;
}
