/** What a node refuses, and what it says then. */
import { LIMITS, type Bytes } from "../core/bytes.js";
import { LankvError } from "../core/error.js";
import { RECORDS_MAX } from "../core/record-map.js";

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

function checkLength(name: string, bytes: Bytes, most: number): void {
  if (bytes.length <= most) return;
  throw new RangeError(`${name} must have at most ${String(most)} bytes, not ${String(bytes.length)}`);
}
