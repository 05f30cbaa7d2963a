/**
 * Reads requests off a connection: arrays of bulk strings, or inline commands.
 *
 * The grammar of requests is a small part of that of replies, and the hostile end of the connection: the length of
 * everything is checked against its bound before a byte of it is kept, and the errors are those of Redis, word for word.
 * Arguments come out as byte strings, copied, so that no part of a received chunk is pinned.
 *
 *     *2\r\n $3\r\n GET\r\n $3\r\n key\r\n        or        GET key\r\n
 */
import { readBytes, type Bytes } from "../core/bytes.js";
import { splitInline } from "./inline.js";
import { toLimits } from "./limits.js";

/** Most arguments of one request, its name included. */
export const ARGUMENTS_MAX = 1_048_576;
/** Longest line: an inline command, or the digits of a length. */
export const LINE_BYTES_MAX = 65_536;

/** What an argument takes besides its bytes. */
const ARGUMENT_BYTES = 48;
/** What a chunk takes besides its bytes. */
const CHUNK_BYTES = 128;
/** After so many chunks that came behind an unfinished request, they are joined. */
const CHUNKS_LOOSE = 256;

/** Longest name that is remembered. */
const NAME_BYTES = 32;

const CR = 13;
const LF = 10;
const STAR = 42;
const DOLLAR = 36;
const MINUS = 45;
const NOTHING = Buffer.alloc(0);

/** The client does not speak the protocol: it is told so, and the connection ends. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
}

/** What a request may be; read anew for each. */
export interface RequestBounds {
  /** Most arguments, its name included. Default: 1 048 576. */
  readonly argumentsMax?: number;
  /** Bytes of the longest argument. */
  readonly argumentBytesMax: number;
  /** Bytes of all arguments. */
  readonly requestBytesMax: number;
}

/** What who has not given the password yet may send: enough to give it. */
const UNAUTHENTICATED: RequestBounds = {
  argumentsMax: 10,
  argumentBytesMax: 16_384,
  requestBytesMax: 163_840,
};

export type Request = readonly Bytes[];

export class RequestParser {
  /** Whether the client may send as much as its bounds say. */
  isTrusted = true;
  readonly #bounds: RequestBounds;
  /** What is read from `#offset` up to `#end`. */
  #buffer: Buffer = NOTHING;
  #offset = 0;
  #end = 0;
  /** Chunks that came after it, joined to it when `#needed` bytes are there. */
  #later: Buffer[] = [];
  #laterBytes = 0;
  /** How many chunks at the end of `#later` were not joined yet. */
  #looseChunks = 0;
  /** The chunk that came last and is not the parser's own yet. */
  #lent: Buffer | undefined;
  #needed = 1;
  #args: Bytes[] = [];
  #argsMissing = 0;
  /** Bytes of the arguments, also of the one that was announced and has not come. */
  #requestBytes = 0;
  /** Bytes of the arguments that are there, each with what it takes besides. */
  #argsBytes = 0;
  #lastName: Bytes = "";
  /** Length of the argument that is being read; -1 before it is known. */
  #argBytes = -1;

  /** @param bounds default: those of a server that was given none */
  constructor(bounds: RequestBounds = toLimits({})) {
    this.#bounds = bounds;
  }

  /** Bytes that are kept: what was not read yet, and the arguments of an unfinished request. */
  get heldBytes(): number {
    return this.#end + this.#laterBytes + this.#later.length * CHUNK_BYTES + this.#argsBytes;
  }

  /** Whether everything that came was part of a request that is whole. */
  get isEmpty(): boolean {
    return this.#offset === this.#end && this.#laterBytes === 0 && this.#argsMissing === 0;
  }

  /**
   * Takes what came: until {@link RequestParser.keep} it is the caller's, who must call that before it is used again.
   * @param length how many bytes from the start of the buffer came
   */
  push(buffer: Buffer, length = buffer.length): void {
    if (this.#offset === this.#end && this.#laterBytes === 0) {
      this.#lent = buffer;
      this.#setBuffer(buffer, length);
      return;
    }
    const chunk = buffer.subarray(0, length);
    this.#lent = chunk;
    this.#later.push(chunk);
    this.#laterBytes += chunk.length;
    this.#looseChunks += 1;
    if (this.#looseChunks === CHUNKS_LOOSE) {
      this.#later.push(Buffer.concat(this.#later.splice(-CHUNKS_LOOSE)));
      this.#looseChunks = 0;
    }
  }

  /**
   * The next whole request, or undefined until more is pushed.
   * @throws {ProtocolError} nothing more can be read from this connection
   */
  next(): Request | undefined {
    for (;;) {
      if (!this.#join()) return this.#giveBack();
      if (this.#argsMissing === 0 && !this.#begin()) continue;
      while (this.#argsMissing > 0 && this.#readArgument());
      if (this.#argsMissing > 0) continue;
      const request = this.#args;
      this.#args = [];
      this.#argsBytes = 0;
      if (request.length > 0) return request;
    }
  }

  /** Copies what was pushed and is still needed. */
  keep(): void {
    const lent = this.#lent;
    if (lent === undefined) return;
    this.#lent = undefined;
    if (this.#buffer === lent) this.#keepRest();
    else if (this.#later.at(-1) === lent) this.#later[this.#later.length - 1] = copyOf(lent);
  }

  #currentBounds(): RequestBounds {
    return this.isTrusted ? this.#bounds : UNAUTHENTICATED;
  }

  #refusal(): string {
    return this.isTrusted ? "invalid" : "unauthenticated";
  }

  /** Makes what has come one buffer. Whether it is enough to go on with. */
  #join(): boolean {
    if (this.#end - this.#offset + this.#laterBytes < this.#needed) return false;
    if (this.#laterBytes > 0) {
      const joined = Buffer.concat([this.#buffer.subarray(this.#offset, this.#end), ...this.#later]);
      this.#setBuffer(joined, joined.length);
      this.#later = [];
      this.#laterBytes = 0;
      this.#looseChunks = 0;
    }
    this.#needed = 1;
    return true;
  }

  /** Nothing of a buffer is kept but what was not read. */
  #giveBack(): undefined {
    if (this.#end - this.#offset <= this.#end / 2) this.#keepRest();
    return undefined;
  }

  #keepRest(): void {
    const bytes = this.#end - this.#offset;
    this.#setBuffer(bytes === 0 ? NOTHING : copyOf(this.#buffer.subarray(this.#offset, this.#end)), bytes);
  }

  #setBuffer(buffer: Buffer, bytes: number): void {
    this.#buffer = buffer;
    this.#offset = 0;
    this.#end = bytes;
  }

  /** Reads the head of a request, or a whole inline command. False when more must come first. */
  #begin(): boolean {
    if (this.#buffer[this.#offset] !== STAR) return this.#readInline();
    const count = this.#readLength("mbulk count", "multibulk length");
    if (count === undefined) return false;
    const { argumentsMax = ARGUMENTS_MAX } = this.#currentBounds();
    if (count > argumentsMax) throw new ProtocolError(`Protocol error: ${this.#refusal()} multibulk length`);
    this.#argsMissing = Math.max(count, 0);
    this.#requestBytes = 0;
    return true;
  }

  #readInline(): boolean {
    const found = this.#buffer.indexOf(LF, this.#offset);
    // What is behind the end was somebody else's.
    const end = found < this.#end ? found : -1;
    if ((end < 0 ? this.#end : end) - this.#offset > LINE_BYTES_MAX) {
      throw new ProtocolError("Protocol error: too big inline request");
    }
    if (end < 0) return this.#lacks(this.#end - this.#offset + 1);
    const stop = end > this.#offset && this.#buffer[end - 1] === CR ? end - 1 : end;
    const args = splitInline(this.#buffer.toString("latin1", this.#offset, stop));
    if (args === undefined) throw new ProtocolError("Protocol error: unbalanced quotes in request");
    this.#offset = end + 1;
    this.#args = args;
    return true;
  }

  /** Reads one argument. False when more must come first. */
  #readArgument(): boolean {
    if (this.#argBytes < 0) {
      if (this.#offset === this.#end) return this.#lacks(1);
      const type = this.#buffer[this.#offset] ?? 0;
      if (type !== DOLLAR) {
        throw new ProtocolError(`Protocol error: expected '$', got '${String.fromCharCode(type)}'`);
      }
      const length = this.#readLength("bulk count", "bulk length");
      if (length === undefined) return false;
      const { argumentBytesMax, requestBytesMax } = this.#currentBounds();
      if (length < 0 || length > argumentBytesMax) {
        throw new ProtocolError(`Protocol error: ${length < 0 ? "invalid" : this.#refusal()} bulk length`);
      }
      this.#requestBytes += length;
      if (this.#requestBytes > requestBytesMax) throw new ProtocolError("Protocol error: too big request");
      this.#argBytes = length;
    }
    const end = this.#offset + this.#argBytes;
    if (end + 2 > this.#end) return this.#lacks(this.#argBytes + 2);
    // An array of strings from its beginning: one that began as an empty one has another shape, and a push to either is a call.
    if (this.#args.length === 0) this.#args = [this.#readName(end)];
    else this.#args.push(this.#copy(end));
    this.#argsBytes += this.#argBytes + ARGUMENT_BYTES;
    this.#offset = end + 2;
    this.#argBytes = -1;
    this.#argsMissing -= 1;
    return true;
  }

  /** As `#copy`; clients repeat commands, and a name that was read before need not be copied. */
  #readName(end: number): Bytes {
    const length = end - this.#offset;
    if (length > NAME_BYTES) return this.#copy(end);
    const name = this.#lastName;
    let at = length === name.length ? 0 : -1;
    while (at >= 0 && at < length) at = this.#buffer[this.#offset + at] === name.charCodeAt(at) ? at + 1 : -1;
    if (at < 0) this.#lastName = this.#copy(end);
    return this.#lastName;
  }

  #copy(end: number): Bytes {
    return readBytes(this.#buffer, this.#offset, end);
  }

  /** Reads the number that follows the type's byte, and the end of the line; undefined when more must come first. */
  #readLength(count: string, length: string): number | undefined {
    const buffer = this.#buffer;
    let at = this.#offset + 1;
    const isNegative = buffer[at] === MINUS;
    if (isNegative) at += 1;
    const start = at;
    let value = 0;
    for (; at < this.#end && buffer[at] !== CR; at += 1) {
      const digit = (buffer[at] ?? 0) - 48;
      if (digit < 0 || digit > 9 || at - start > 15) {
        throw new ProtocolError(`Protocol error: invalid ${length}`);
      }
      value = value * 10 + digit;
    }
    if (at + 2 > this.#end) {
      if (at - this.#offset > LINE_BYTES_MAX)
        throw new ProtocolError(`Protocol error: too big ${count} string`);
      this.#lacks(this.#end - this.#offset + 1);
      return undefined;
    }
    if (at === start) throw new ProtocolError(`Protocol error: invalid ${length}`);
    this.#offset = at + 2;
    return isNegative ? -value : value;
  }

  /** Nothing is tried again before so many bytes are there. */
  #lacks(bytes: number): false {
    this.#needed = bytes;
    return false;
  }
}

/** Bytes that a request takes. */
export function bytesOf(request: Request): number {
  return request.reduce((bytes, argument) => bytes + argument.length + ARGUMENT_BYTES, 0);
}

/** Of its own memory, and not of a pool. */
function copyOf(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}
