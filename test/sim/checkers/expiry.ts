/**
 * What time does to a copy. A value is there until its time by the own corrected clock, and then gone: from reads, from the
 * count of keys and from memory, told once, and never told unless it was there. Nobody sends a word of it: the silence
 * checker listens on while the last values expire.
 *
 * The checker follows each copy by what is told of it (writes, `applied`, `expired`), and compares that with what is held: so a
 * change that was not told is found, and so is one that was told and did not happen.
 */
import type { KvRecord, Replaced } from "../../../src/core/record.js";
import type { ReadApplied } from "../../received.js";
import { Violation, type Checker, type Restored, type Scene, type Stepped, type Wrote } from "../checker.js";
import { contentsOf } from "../contents.js";
import type { Process } from "../process.js";
import { describe, isIdentical, isRemains, isSame, isVersionOf, versionOf } from "./history.js";

/** The most values that a step may let expire of its own accord. */
const PER_STEP_MAX = 1_024;
/** For how long a clock that is new, was set or is corrected may be wrong: meanwhile nothing may be lost by it. */
const DOUBT_MS = 5_000;
/** A clock that was set by less than this is not noticed; nor is a correction by less than that. */
const JUMP_MS = 5_000;
const OFFSET_MS = 2_000;
/** How far clocks that are right may seem to be apart: beacons are late, and processes stand still. */
const SEEMING_MS = 60_000;
/**
 * All that a copy holds is gone through so often. A difference that is there in between does not go unseen: what is told of
 * the next change of that key says what was held before.
 */
const COMPARE_EVERY_MS = 5_000;
const NO_RECORDS: readonly KvRecord[] = [];
/** How late a timer may be, for what is lost in adding up times. */
const ROUNDING_MS = 1;

/** What was told of one copy. */
interface Told {
  readonly held: Map<string, KvRecord>;
  /** Versions of which it was told that they expired. */
  readonly expired: Set<string>;
  /** Of what is held, the values that will expire, by key. */
  readonly expiring: Map<string, KvRecord>;
  /** When that was last compared with all that is held. */
  comparedAtMs: number;
  /** Versions that were overwritten here after their time, and whether that must be told with the next step, or may be. */
  readonly owed: Map<string, boolean>;
  /** The greatest corrected clock that the process has seen. */
  clockMs: number;
  /** How far its host's clock was off at its last step, and by how much it was corrected. */
  skewMs: number;
  offsetMs: number;
  /** Between its steps no time passes for a process. */
  steppedAtMs: number;
  /** When its clock began, was last set or corrected. */
  clockSinceMs: number;
  /** The same, if by so much that the process must have noticed, and somebody may be there who knows better. */
  doubtSinceMs: number;
  /** Versions whose time had run out a second ago. */
  overdue: ReadonlySet<string>;
}

export class ExpiryChecker implements Checker {
  readonly name = "expiry";
  readonly #copies = new Map<Process, Told>();

  /** @param areClocksRight whether no host's clock is ever wrong in this run */
  constructor(private readonly areClocksRight: boolean) {}

  ended(process: Process): void {
    this.#copies.delete(process);
  }

  wrote({ process, key, value, expiresAtMs, record }: Wrote): void {
    const told = this.#copies.get(process);
    if (told === undefined || record === undefined) return;
    const clockMs = clockOf(process);
    told.clockMs = Math.max(told.clockMs, clockMs);
    const isLate = value !== undefined && expiresAtMs !== undefined && expiresAtMs <= clockMs;
    if (isRemains(record) ? !isLate : isLate && !mayKeep(process, told, told.steppedAtMs))
      this.#fail(process, `wrote ${describe(record)} to expire at ${String(expiresAtMs)}`);
    const before = told.held.get(key);
    if (before !== undefined && hasRunOut(before, clockMs))
      told.owed.set(versionOf(before), !mayKeep(process, told, told.steppedAtMs));
    tell(told, record);
  }

  /** What comes from the disk is told to nobody. */
  restored({ process, records }: Restored): void {
    const told = this.#copies.get(process);
    if (told === undefined) return;
    for (const { key } of records) {
      const held = process.replica.get(key);
      if (held !== undefined) tell(told, held);
    }
  }

  stepped(event: Stepped): void {
    const { process, effects, input, correctedBeforeMs, atMs } = event;
    const told = this.#copies.get(process);
    if (told === undefined) {
      this.#copies.set(process, toldAtStart(process, atMs));
      return;
    }
    told.clockMs = Math.max(told.clockMs, correctedBeforeMs, clockOf(process));
    noteClock(event, told);
    const comes = input.type === "message" && "records" in input.message ? input.message.records : NO_RECORDS;
    let spontaneous = 0;
    for (const effect of effects) {
      if (effect.type === "expired") {
        for (const record of effect.records) if (!this.#expire(event, told, record)) spontaneous += 1;
      } else if (effect.type === "applied") this.#apply(event, told, effect, comes);
    }
    for (const [version, isOwed] of told.owed)
      if (isOwed) this.#fail(process, `did not tell that ${version} expired`);
    told.owed.clear();
    if (spontaneous > PER_STEP_MAX + comes.length)
      this.#fail(process, `let ${String(spontaneous)} values expire in one step`);
  }

  second({ alive, atMs }: Scene): void {
    for (const process of alive) {
      const told = this.#copies.get(process);
      if (told === undefined) continue;
      if (atMs >= told.comparedAtMs + COMPARE_EVERY_MS) this.#compare(process, told, atMs);
      if (process.isBlocked || mayKeep(process, told, atMs)) told.overdue = new Set();
      else this.#expectPunctual(process, told);
    }
  }

  aged({ alive, atMs, tallies }: Scene): void {
    const [first] = alive;
    const contents = new Map((first === undefined ? [] : contentsOf(first.replica)).map((r) => [r.key, r]));
    for (const process of alive) {
      const told = this.#copies.get(process);
      if (told !== undefined) this.#compare(process, told, atMs);
      for (const record of contentsOf(process.replica)) {
        if (record.expiresAtMs !== undefined && !isRemains(record))
          this.#fail(process, `still has ${describe(record)} when all have expired`);
        const other = contents.get(record.key);
        if (other === undefined || !isSame(record, other) || record.value !== other.value)
          this.#fail(process, `has ${describe(record)} when all have expired, not ${describe(other)}`);
      }
    }
    for (const record of contents.values()) tallies.add("expired", isRemains(record) ? 1 : 0);
  }

  /** @returns whether the value had been overwritten before it was told */
  #expire({ process, atMs }: Stepped, told: Told, record: KvRecord): boolean {
    const version = versionOf(record);
    if (!isRemains(record)) this.#fail(process, `told as expired: ${describe(record)}`);
    if (told.expired.has(version)) this.#fail(process, `told twice that ${describe(record)} expired`);
    told.expired.add(version);
    if ((record.expiresAtMs ?? Infinity) > told.clockMs)
      this.#fail(process, `let ${describe(record)} expire before ${String(record.expiresAtMs)}`);
    if (told.owed.delete(version)) return true;
    const before = told.held.get(record.key);
    const now = process.replica.get(record.key);
    const isKept = now !== undefined && isVersionOf(now, record);
    if (isKept && atMs < told.doubtSinceMs + DOUBT_MS - ROUNDING_MS)
      this.#fail(process, `let ${describe(record)} expire while its clock may be wrong`);
    if (before === undefined || isRemains(before) || !isSame(before, record))
      this.#fail(process, `told that ${describe(record)} expired, and had ${describe(before)}`);
    tell(told, record);
    return false;
  }

  #apply(
    { process, correctedBeforeMs, atMs }: Stepped,
    told: Told,
    { records, replaced }: ReadApplied,
    comes: readonly KvRecord[],
  ): void {
    for (const [i, record] of records.entries()) {
      const before = told.held.get(record.key);
      if (!isSaid(before, replaced[i], record))
        this.#fail(
          process,
          `says that ${describe(record)} replaced ${JSON.stringify(replaced[i])}, not ${describe(before)}`,
        );
      if (before !== undefined && isVersionOf(before, record))
        this.#fail(process, `says that ${describe(record)} came anew`);
      const sent = record.expiresAtMs === undefined ? undefined : comes.find((one) => isSame(one, record));
      if (sent !== undefined && isRemains(record) !== isRemains(sent)) {
        const isLost =
          !hasRunOut(sent, correctedBeforeMs) || atMs < told.doubtSinceMs + DOUBT_MS - ROUNDING_MS;
        if (isLost) this.#fail(process, `kept ${describe(record)}, sent as ${describe(sent)}`);
      } else if (hasRunOut(record, correctedBeforeMs) && !mayKeep(process, told, atMs))
        this.#fail(process, `kept ${describe(record)} though its time had run out`);
      tell(told, record);
    }
  }

  /** What is held is what was told, and nothing is left of what has expired. */
  #compare(process: Process, told: Told, atMs: number): void {
    const { map } = process.replica;
    told.comparedAtMs = atMs;
    let bytes = 0;
    let values = 0;
    for (const record of map.all()) {
      bytes += record.key.length + record.value.length;
      if (record.kind === "value") values += 1;
      const expected = told.held.get(record.key);
      if (expected !== record && (expected === undefined || !isIdentical(expected, record)))
        this.#fail(process, `has ${describe(record)}; told: ${describe(expected)}`);
      if (this.areClocksRight && isRemains(record) && isAhead(record, process))
        this.#fail(process, `has ${describe(record)}, which is alive by every clock`);
      const mayExpire = record.expiresAtMs !== undefined && !isRemains(record);
      if (mayExpire && told.expired.has(versionOf(record)))
        this.#fail(process, `has ${describe(record)}, which expired`);
    }
    if (map.bytes !== bytes || map.values !== values)
      this.#fail(process, `counts ${String(map.values)} values and ${String(map.bytes)} B`);
  }

  /** What is due is gone within a second, and there is a timer for what is next. */
  #expectPunctual(process: Process, told: Told): void {
    const clockMs = clockOf(process);
    const overdue = new Set<string>();
    let nextMs = Infinity;
    for (const record of told.expiring.values()) {
      if (hasRunOut(record, clockMs)) overdue.add(versionOf(record));
      else nextMs = Math.min(nextMs, record.expiresAtMs ?? Infinity);
    }
    for (const version of overdue)
      if (told.overdue.has(version)) this.#fail(process, `holds ${version} though its time ran out`);
    told.overdue = overdue;
    const inMs = process.replica.wakeAtMs - process.now.monoMs;
    if (inMs > nextMs - clockMs + ROUNDING_MS)
      this.#fail(process, `wants to be woken in ${String(inMs)} ms, later than a value expires`);
  }

  #fail(process: Process, text: string): never {
    throw new Violation(this.name, `${process.name} ${text}`);
  }
}

/** Whether it is said right what a record replaced; its value may be left out where the expiry has stayed the same. */
function isSaid(before: KvRecord | undefined, said: Replaced | undefined, record: KvRecord): boolean {
  if (before === undefined || said === undefined) return before === said;
  if (before.kind !== said.kind || before.expiresAtMs !== said.expiresAtMs) return false;
  if (said.value === undefined) return before.expiresAtMs === record.expiresAtMs;
  return before.value === said.value;
}

function tell(told: Told, record: KvRecord): void {
  told.held.set(record.key, record);
  if (record.expiresAtMs !== undefined && record.kind === "value") told.expiring.set(record.key, record);
  else told.expiring.delete(record.key);
}

/** Takes note of a clock that was set or corrected. */
function noteClock({ process, effects, atMs }: Stepped, told: Told): void {
  const { host, replica } = process;
  const setBy = Math.abs(host.skewMs - told.skewMs);
  const correctedBy = Math.abs(replica.clockOffsetMs - told.offsetMs);
  if (setBy > 0 || correctedBy > OFFSET_MS) told.clockSinceMs = atMs;
  if (setBy >= JUMP_MS || correctedBy > OFFSET_MS) told.doubtSinceMs = atMs;
  told.steppedAtMs = atMs;
  told.skewMs = host.skewMs;
  told.offsetMs = replica.clockOffsetMs;
  const isLive = effects.some((effect) => effect.type === "state" && effect.state === "live");
  if (isLive && replica.presence.peers.size === 0) told.doubtSinceMs = -Infinity;
}

/** Whether what is due may still be held. */
function mayKeep({ host }: Process, told: Told, atMs: number): boolean {
  return host.skewMs !== told.skewMs || atMs < told.clockSinceMs + DOUBT_MS + ROUNDING_MS;
}

/** Whether a record's time is to come by its host's clock. */
function isAhead({ expiresAtMs }: KvRecord, { host }: Process): boolean {
  return expiresAtMs !== undefined && expiresAtMs > host.wallMs + SEEMING_MS;
}

function toldAtStart(process: Process, atMs: number): Told {
  const told: Told = {
    held: new Map(),
    expired: new Set(),
    expiring: new Map(),
    comparedAtMs: atMs,
    owed: new Map(),
    clockMs: clockOf(process),
    skewMs: process.host.skewMs,
    offsetMs: process.replica.clockOffsetMs,
    steppedAtMs: atMs,
    clockSinceMs: atMs,
    doubtSinceMs: atMs,
    overdue: new Set(),
  };
  for (const record of contentsOf(process.replica)) tell(told, record);
  return told;
}

function clockOf(process: Process): number {
  return process.replica.correctedMs(process.now.wallMs);
}

function hasRunOut({ kind, expiresAtMs }: KvRecord, clockMs: number): boolean {
  return kind === "value" && expiresAtMs !== undefined && expiresAtMs <= clockMs;
}
