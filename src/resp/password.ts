/** The one password of the server, of which only a hash is kept. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Bytes } from "../core/bytes.js";

/** The only user there is, as Redis calls it. */
const USER = "default";

export class Password {
  readonly #hash: Buffer;

  constructor(text: Bytes) {
    this.#hash = hash(text);
  }

  /** Takes the same time however much of it is right. */
  matches(user: Bytes, text: Bytes): boolean {
    const isRight = timingSafeEqual(hash(text), this.#hash);
    return isRight && user === USER;
  }
}

/** Whether a user may come in: without a password the only one may, whatever else is given. */
export function mayEnter(password: Password | undefined, user: Bytes, text: Bytes): boolean {
  return password === undefined ? user === USER : password.matches(user, text);
}

function hash(text: Bytes): Buffer {
  return createHash("sha256").update(text, "latin1").digest();
}
