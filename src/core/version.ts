/**
 * Versions: the names of single writes, totally ordered.
 *
 * A version is (stamp, writer). The stamp is a hybrid logical clock reading (Kulkarni et al., "Logical
 * Physical Clocks", 2014) packed into one safe integer:
 *
 *     stamp = (milliseconds since 2020-01-01T00:00Z) * 4096 + tick          0 <= stamp <= 2^53 - 1
 *
 * so that comparing stamps is comparing numbers, and "one tick later" is + 1, with the carry into the
 * milliseconds for free. 41 bits of milliseconds last until 2089. The writer is minted at each
 * process start and never reused, so a version cannot be issued twice, whatever is restored, cloned or
 * forgotten: the alternative, a persisted sequence number, would have to be fsynced before each write.
 */

/** Identifies one run of one process: 16 lower-case hexadecimal digits (64 random bits). */
export type Writer = string;

/** The name of one write. */
export interface Version {
  /** Hybrid logical clock: milliseconds since 2020 times 4096, plus the tick. A safe integer. */
  readonly stamp: number;
  readonly writer: Writer;
}

/** 2020-01-01T00:00:00Z in Unix milliseconds: stamp 0. */
export const EPOCH_MS = 1_577_836_800_000;
/** Logical ticks in a millisecond. */
export const TICKS_PER_MS = 4096;
/** The greatest stamp that may exist. */
export const STAMP_MAX = Number.MAX_SAFE_INTEGER;
/**
 * The greatest stamp that a wall clock may produce (the year 2087): a broken clock beyond it leaves
 * 2^48 ticks above it for the writes that must still win.
 */
export const STAMP_WALL_MAX = STAMP_MAX - 2 ** 48;

/** The stamp of a wall-clock reading in Unix milliseconds, tick 0; clamped to 2020 ... 2087. */
export function wallToStamp(wallMs: number): number {
  const stamp = Math.floor(wallMs - EPOCH_MS) * TICKS_PER_MS;
  return stamp < 0 ? 0 : stamp > STAMP_WALL_MAX ? STAMP_WALL_MAX : stamp;
}

/** The wall-clock part of a stamp, in Unix milliseconds. */
export function stampToWallMs(stamp: number): number {
  return Math.floor(stamp / TICKS_PER_MS) + EPOCH_MS;
}

/** Negative when a is before b, 0 when they are the same version, positive when a is after b. */
export function compareVersions(a: Version, b: Version): number {
  if (a.stamp !== b.stamp) return a.stamp - b.stamp;
  return a.writer === b.writer ? 0 : a.writer < b.writer ? -1 : 1;
}

/** 14 hexadecimal digits of the stamp, a dash, the writer: sorts as text in the order of versions. */
export function versionToText(version: Version): string {
  return `${version.stamp.toString(16).padStart(14, "0")}-${version.writer}`;
}

/** The version that {@link versionToText} wrote, or undefined when the text is not one. */
export function textToVersion(text: string): Version | undefined {
  const match = /^([0-9a-f]{14})-([0-9a-f]{16})$/.exec(text);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  const stamp = Number.parseInt(match[1], 16);
  return Number.isSafeInteger(stamp) ? { stamp, writer: match[2] } : undefined;
}
