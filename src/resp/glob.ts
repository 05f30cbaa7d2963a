/**
 * Redis's patterns: `*`, `?`, `[abc]`, `[^a-z]`, and `\` before a byte that is meant as itself.
 *
 * A star that fails is only ever widened from its last place, so that no pattern costs more than (pattern x text);
 * a regular expression made of it would take for ever with `a*a*a*a*b`.
 */
import type { Bytes } from "../core/bytes.js";

type Step = "star" | ((code: number) => boolean);

/** A predicate for the texts that a pattern matches as a whole. */
export function globToPredicate(pattern: Bytes): (text: Bytes) => boolean {
  const prefix = /^([^*?[\\]*)\*+$/.exec(pattern)?.[1];
  if (prefix !== undefined) return (text) => text.startsWith(prefix);
  const steps = compile(pattern);
  return (text) => matches(steps, text);
}

function compile(pattern: Bytes): readonly Step[] {
  const steps: Step[] = [];
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern[at];
    if (character === "*") {
      if (steps.at(-1) !== "star") steps.push("star");
    } else if (character === "?") {
      steps.push(() => true);
    } else if (character === "[") {
      const set = readSet(pattern, at + 1);
      steps.push(set.step);
      at = set.end;
    } else {
      if (character === "\\" && at + 1 < pattern.length) at += 1;
      const wanted = pattern.charCodeAt(at);
      steps.push((code) => code === wanted);
    }
  }
  return steps;
}

/** Reads a set of bytes up to its bracket, or to the end of the pattern if there is none. */
function readSet(pattern: Bytes, from: number): { readonly step: Step; readonly end: number } {
  const isNegated = pattern[from] === "^";
  const ranges: (readonly [low: number, high: number])[] = [];
  let at = isNegated ? from + 1 : from;
  for (; at < pattern.length && pattern[at] !== "]"; at += 1) {
    const isEscaped = pattern[at] === "\\" && at + 1 < pattern.length;
    if (isEscaped) at += 1;
    const first = pattern.charCodeAt(at);
    if (!isEscaped && pattern[at + 1] === "-" && at + 2 < pattern.length) {
      const last = pattern.charCodeAt(at + 2);
      ranges.push([Math.min(first, last), Math.max(first, last)]);
      at += 2;
    } else {
      ranges.push([first, first]);
    }
  }
  const isIn = (code: number): boolean => ranges.some(([low, high]) => code >= low && code <= high);
  return { step: (code) => isIn(code) !== isNegated, end: at };
}

function matches(steps: readonly Step[], text: Bytes): boolean {
  let step = 0;
  let at = 0;
  let starStep = -1;
  let starAt = 0;
  while (at < text.length) {
    const wanted = steps[step];
    if (wanted === "star") {
      starStep = step;
      starAt = at;
      step += 1;
    } else if (wanted?.(text.charCodeAt(at)) === true) {
      step += 1;
      at += 1;
    } else if (starStep >= 0) {
      step = starStep + 1;
      starAt += 1;
      at = starAt;
    } else {
      return false;
    }
  }
  while (steps[step] === "star") step += 1;
  return step === steps.length;
}
