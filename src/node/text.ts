/** Between the text or bytes that users give and the byte strings that the store holds. */
import type { Bytes } from "../core/bytes.js";
import type { Data } from "./lankv.js";

const NOT_ASCII = /[^\u0000-\u007f]/;

/**
 * The bytes of a key or value: the UTF-8 of a string, or the bytes themselves.
 * @param name what to call it in the error
 * @throws {TypeError} it is neither a string nor a Uint8Array
 */
export function toBytes(name: string, data: Data): Bytes {
  if (typeof data === "string")
    return NOT_ASCII.test(data) ? Buffer.from(data, "utf8").toString("latin1") : data;
  // JavaScript callers may pass anything.
  const given: unknown = data;
  if (!(given instanceof Uint8Array)) {
    throw new TypeError(
      `${name} must be a string or a Uint8Array, not ${given === null ? "null" : typeof given}`,
    );
  }
  return Buffer.from(given.buffer, given.byteOffset, given.byteLength).toString("latin1");
}

/** The bytes read as UTF-8; what is not UTF-8 shows as U+FFFD. */
export function toText(bytes: Bytes): string {
  return NOT_ASCII.test(bytes) ? Buffer.from(bytes, "latin1").toString("utf8") : bytes;
}

/** A fresh copy of the bytes. */
export function toUint8Array(bytes: Bytes): Uint8Array {
  return new Uint8Array(Buffer.from(bytes, "latin1"));
}
