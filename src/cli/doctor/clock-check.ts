/** Whether the clocks of the machines agree: keys expire by them, and of writes that did not see each other the later wins. */
import ms from "ms";
import { toPrintableText } from "../printable.js";
import { fail, ok, warn, type Finding } from "./finding.js";

/** Clocks that are off by less are not worth a word: nodes do not correct it. */
const CLOCK_OFF_MS = 2_000;
/** No node follows a clock that is further ahead than this. */
const CLOCK_LOST_MS = 60_000;
/** Stamps count from 2020 on: before it, a clock was never set. */
const EPOCH_MS = Date.UTC(2020);

const MEND = "Let the clock be set: 'timedatectl set-ntp true' with a time server, or a real-time clock.";

/** One other node's clock, less this machine's. */
interface ClockOffset {
  readonly name: string;
  readonly offsetMs: number;
}

export function checkClock(offsets: readonly ClockOffset[], wallMs: number): readonly Finding[] {
  if (wallMs < EPOCH_MS) {
    const now = new Date(wallMs).toISOString();
    return [fail("clock", `This machine's clock says ${now}: it was never set.`, MEND)];
  }
  const [first, ...rest] = offsets;
  if (first === undefined) return [];
  if (rest.length === 0) return [ofTwo(first)];
  const median = medianOf([0, ...offsets.map(({ offsetMs }) => offsetMs)]);
  const findings = [{ name: "This machine", offsetMs: 0 }, ...offsets]
    .map(({ name, offsetMs }) => ({ name, offMs: offsetMs - median }))
    .filter(({ offMs }) => Math.abs(offMs) > CLOCK_OFF_MS)
    .map(({ name, offMs }) => {
      const finding = `${toPrintableText(name)}: its clock is ${ms(Math.abs(offMs))} ${offMs < 0 ? "behind" : "ahead of"} most others.`;
      return judged(offMs, finding);
    });
  return findings.length > 0
    ? findings
    : [ok("clock", `The clocks of this machine and ${String(offsets.length)} other nodes agree.`)];
}

/** Of two clocks nobody can say which is wrong. */
function ofTwo({ name, offsetMs }: ClockOffset): Finding {
  const other = toPrintableText(name);
  if (Math.abs(offsetMs) <= CLOCK_OFF_MS)
    return ok("clock", `The clocks of this machine and ${other} agree.`);
  const side = offsetMs < 0 ? "ahead of" : "behind";
  return judged(offsetMs, `This machine's clock is ${ms(Math.abs(offsetMs))} ${side} that of ${other}.`);
}

function judged(offMs: number, finding: string): Finding {
  return (Math.abs(offMs) > CLOCK_LOST_MS ? fail : warn)("clock", finding, MEND);
}

/** The lower middle of an even number, as nodes have it. */
function medianOf(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? 0;
}
