/**
 * Redis's patterns: `*`, `?`, `[abc]`, `[^a-z]`, and `\` before a byte that is meant as itself.
 *
 * The pattern is read anew for each text, and nothing is made of it beforehand. A star that fails is only ever widened
 * from its last place, so that no pattern costs more than (pattern x text); a regular expression made of it would take
 * for ever with `a*a*a*a*b`.
 */
import type { Bytes } from "../core/bytes.js";

/** Bytes of the longest pattern. No key and no channel of a client is longer. */
export const PATTERN_BYTES_MAX = 1_024;

const STAR = 42;
const ANY = 63;
const SET = 91;
const SET_END = 93;
const ESCAPE = 92;
const NOT = 94;
const RANGE = 45;

/**
 * A predicate for the texts that a pattern matches as a whole.
 * @throws {RangeError} the pattern is too long
 */
export function globToPredicate(pattern: Bytes): (text: Bytes) => boolean {
  checkPattern(pattern);
  const prefix = /^([^*?[\\]*)\*+$/.exec(pattern)?.[1];
  if (prefix !== undefined) return (text) => text.startsWith(prefix);
  return (text) => matches(pattern, text);
}

/** @throws {RangeError} the pattern is too long */
export function checkPattern(pattern: Bytes): void {
  if (pattern.length <= PATTERN_BYTES_MAX) return;
  throw new RangeError(
    `a pattern has at most ${String(PATTERN_BYTES_MAX)} bytes, this one has ${String(pattern.length)}`,
  );
}

function matches(pattern: Bytes, text: Bytes): boolean {
  let at = 0;
  let inText = 0;
  let starAt = -1;
  let starInText = 0;
  while (inText < text.length) {
    if (pattern.charCodeAt(at) === STAR) {
      starAt = at;
      starInText = inText;
      at += 1;
      continue;
    }
    const next = step(pattern, at, text.charCodeAt(inText));
    if (next > 0) {
      at = next;
      inText += 1;
    } else if (starAt >= 0) {
      at = starAt + 1;
      starInText += 1;
      inText = starInText;
    } else {
      return false;
    }
  }
  while (pattern.charCodeAt(at) === STAR) at += 1;
  return at === pattern.length;
}

/** Where the pattern goes on behind what stands for one byte; 0 when that is another byte, or the pattern has ended. */
function step(pattern: Bytes, at: number, code: number): number {
  if (at >= pattern.length) return 0;
  const wanted = pattern.charCodeAt(at);
  if (wanted === ANY) return at + 1;
  if (wanted === SET) return stepSet(pattern, at + 1, code);
  if (wanted !== ESCAPE || at + 1 === pattern.length) return wanted === code ? at + 1 : 0;
  return pattern.charCodeAt(at + 1) === code ? at + 2 : 0;
}

/** As `step`, for a set of bytes: up to its bracket, or to the end of the pattern if there is none. */
function stepSet(pattern: Bytes, from: number, code: number): number {
  const isNegated = pattern.charCodeAt(from) === NOT;
  let isIn = false;
  let at = isNegated ? from + 1 : from;
  for (; at < pattern.length && pattern.charCodeAt(at) !== SET_END; at += 1) {
    const isEscaped = pattern.charCodeAt(at) === ESCAPE && at + 1 < pattern.length;
    if (isEscaped) at += 1;
    const first = pattern.charCodeAt(at);
    let last = first;
    if (!isEscaped && pattern.charCodeAt(at + 1) === RANGE && at + 2 < pattern.length) {
      last = pattern.charCodeAt(at + 2);
      at += 2;
    }
    if (code >= Math.min(first, last) && code <= Math.max(first, last)) isIn = true;
  }
  return isIn === isNegated ? 0 : Math.min(at + 1, pattern.length);
}
