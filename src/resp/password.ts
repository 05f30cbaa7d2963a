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

/** What one client may do, by how it came and what it has given. */
export class Access {
  readonly #password: Password | undefined;
  readonly #isLocal: boolean;
  isAuthenticated: boolean;

  /**
   * @param password undefined = there is none
   * @param isLocal whether the client came by the unix socket, which asks for no password
   */
  constructor(password: Password | undefined, isLocal: boolean) {
    this.#password = password;
    this.#isLocal = isLocal;
    this.isAuthenticated = this.#needsNone;
  }

  get hasPassword(): boolean {
    return this.#password !== undefined;
  }

  get #needsNone(): boolean {
    return this.#password === undefined || this.#isLocal;
  }

  /** Whether it has shown that it may do everything: nobody is refused where there is no password, but that shows nothing. */
  get isTrusted(): boolean {
    return this.#isLocal || (this.hasPassword && this.isAuthenticated);
  }

  /** It has given nothing yet. */
  reset(): void {
    this.isAuthenticated = this.#needsNone;
  }

  /** Without a password the only user may come in, whatever else is given. @returns whether this one may */
  enter(user: Bytes, text: Bytes): boolean {
    const mayEnter = this.#password === undefined ? user === USER : this.#password.matches(user, text);
    this.isAuthenticated ||= mayEnter;
    return mayEnter;
  }
}

function hash(text: Bytes): Buffer {
  return createHash("sha256").update(text, "latin1").digest();
}
