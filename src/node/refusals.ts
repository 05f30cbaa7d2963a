/** What a node refuses, and what it says then. */
import { LIMITS, type Bytes } from "../core/bytes.js";
import { LankvError } from "../core/error.js";
import { RECORDS_MAX } from "../core/record-map.js";
import { codeOf } from "../net/claim-socket.js";
import { reasonOf } from "./reasons.js";

/** @throws {RangeError} the key or value is outside its bounds */
export function checkWrite(key: Bytes, value: Bytes | undefined, valueBytesMax: number): void {
  if (key.length < 1 || key.length > LIMITS.keyBytesMax) {
    throw new RangeError(`key must have 1 to ${String(LIMITS.keyBytesMax)} bytes, not ${String(key.length)}`);
  }
  if (value !== undefined) checkLength("value", value, valueBytesMax);
}

/** @throws {RangeError} the channel or payload is outside its bounds */
export function checkPublication(channel: Bytes, payload: Bytes): void {
  checkLength("channel", channel, LIMITS.channelBytesMax);
  checkLength("payload", payload, LIMITS.payloadBytesMax);
}

/** Why the replica did not write. @param records how many it holds */
export function cannotWrite(records: number): LankvError {
  if (records < RECORDS_MAX) {
    return new LankvError(
      "LANKV_STAMPS",
      "This key's stamps are used up by a forged record; use another key.",
    );
  }
  const most = String(RECORDS_MAX);
  return new LankvError(
    "LANKV_FULL",
    `This node holds ${most} keys, deleted ones included; it cannot hold more.`,
  );
}

/** What mends a disk that cannot be written to. */
const MENDS: Readonly<Record<string, string>> = {
  EDQUOT: "Make room within the quota",
  ENOSPC: "Make room on it",
  EROFS: "Mount it writable again",
};

/**
 * Why nothing is written while saving fails.
 * @param cause what the system said
 */
export function diskRefusal(cause: unknown): LankvError {
  const mend = MENDS[codeOf(cause)] ?? "See to the disk";
  return new LankvError(
    "LANKV_DISK",
    `This node refuses writes because it cannot save them: ${reasonOf(cause)}. ${mend}; it tries again each second ` +
      "and goes on by itself. Reads go on.",
    { cause },
  );
}

/**
 * What was written, and is not known to survive a loss of power.
 * @param cause what the system said; undefined = there was no time, or the node is closed
 */
export function notDurable(cause: unknown): LankvError {
  const reason = cause === undefined ? "it was closed before the disk had taken it" : reasonOf(cause);
  return new LankvError(
    "LANKV_DISK",
    `Written in memory and to the LAN, but not known to be on this node's disk: ${reason}.`,
    { cause, stateChanged: true },
  );
}

/**
 * What a node that ends could not save.
 * @param keys how many keys wait to be saved, beside those that the disk has been given and has not answered for
 */
export function notSaved(keys: number, { cause }: LankvError): LankvError {
  const what = keys === 0 ? "What was written last is" : `${String(keys)} keys are`;
  const reason = cause === undefined ? "it has not answered in time" : reasonOf(cause);
  return new LankvError(
    "LANKV_DISK",
    `This node has ended, and not all is on its disk: ${reason}. ${what} only where peers have taken it.`,
    { cause, stateChanged: true },
  );
}

function checkLength(name: string, bytes: Bytes, most: number): void {
  if (bytes.length <= most) return;
  throw new RangeError(`${name} must have at most ${String(most)} bytes, not ${String(bytes.length)}`);
}
