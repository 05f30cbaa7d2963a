/**
 * Bytes from clients are hostile. Whatever they are and however they are cut, the parser reads the same requests and finds
 * the same error; and a connection answers what it was asked in order, until it is told what is wrong and ended, alone.
 */
import assert from "node:assert/strict";
import { Socket } from "node:net";
import { after, before, describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Bytes } from "../../src/core/bytes.js";
import { ProtocolError, RequestParser, type Request, type RequestBounds } from "../../src/resp/request.js";
import { RespServer } from "../../src/resp/server.js";
import { MemoryKeyspace } from "../unit/resp/memory-keyspace.js";
import { RespHost, type Peer } from "../unit/resp/resp-host.js";
import { scriptOf, splitReplies } from "./resp-script.js";
import { drawCommands, encodeCommands, mutate } from "./resp-streams.js";
import { Chance } from "./wire-chance.js";

const SEED = 0x72657370;
const STREAMS = 1_000_000;
/** Of them, so many go to a connection in this process, and so many to one of the system. */
const SESSION_STREAMS = 500_000;
const SOCKET_STREAMS = 3_000;
/** Streams up to so many bytes are cut at every one of them. */
const SHORT_BYTES = 32;
const GROWTH_BYTES_MAX = 16 * 1024 * 1024;
/** A parser that hangs takes for ever; one that works takes microseconds. Between them is room for a busy machine. */
const CASE_MS_MAX = 2_000;

/** Each turn of a connection carries out a request at least. */
const TURNS_MAX = 100;

/** Bounds so small that streams run into them. */
const TIGHT: RequestBounds = { argumentsMax: 4, argumentBytesMax: 24, requestBytesMax: 48 };

interface Parsed {
  readonly requests: readonly Request[];
  /** Undefined = nothing was wrong so far. */
  readonly error: string | undefined;
}

function parse(chunks: readonly Buffer[], bounds?: RequestBounds): Parsed {
  const parser = new RequestParser(bounds);
  const requests: Request[] = [];
  try {
    for (const chunk of chunks) {
      parser.push(chunk);
      for (let request = parser.next(); request !== undefined; request = parser.next())
        requests.push(request);
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { requests, error: error.message };
  }
  return { requests, error: undefined };
}

function isSame(one: Parsed, other: Parsed): boolean {
  return (
    one.error === other.error &&
    one.requests.length === other.requests.length &&
    one.requests.every((request, i) => {
      const compared = other.requests[i] ?? [];
      return request.length === compared.length && request.every((arg, j) => arg === compared[j]);
    })
  );
}

/** Cut at so many places by chance. */
function cut(stream: Buffer, cuts: number, chance: Chance): Buffer[] {
  const places = Array.from({ length: cuts }, () => chance.below(stream.length + 1)).sort((a, b) => a - b);
  return [0, ...places].map((from, i) => stream.subarray(from, places[i] ?? stream.length));
}

function checkCuts(stream: Buffer, chance: Chance): Parsed {
  const bounds = chance.below(8) === 0 ? TIGHT : undefined;
  const whole = parse([stream], bounds);
  const check = (chunks: readonly Buffer[]): void => {
    const parts = parse(chunks, bounds);
    if (!isSame(whole, parts)) assert.deepEqual(parts, whole, `cut into ${chunks.map(String).join(" | ")}`);
  };
  if (stream.length <= SHORT_BYTES) {
    for (let at = 1; at < stream.length; at += 1) check([stream.subarray(0, at), stream.subarray(at)]);
    check(Array.from(stream, (_, at) => stream.subarray(at, at + 1)));
  } else {
    check(cut(stream, 1, chance));
    check(cut(stream, 1 + chance.below(6), chance));
  }
  return bounds === undefined ? whole : parse([stream]);
}

/** A connection in this process: what it is given is there at once, and what it is sent is kept. */
class MemorySocket extends Socket {
  sent = "";
  isEnded = false;

  override write(data: Uint8Array | string): boolean {
    if (!this.isEnded) this.sent += typeof data === "string" ? data : Buffer.from(data).toString("latin1");
    return true;
  }

  override pause(): this {
    return this;
  }

  override resume(): this {
    return this;
  }

  override destroySoon(): void {
    this.destroy();
  }

  override destroy(): this {
    if (this.isEnded) return this;
    this.isEnded = true;
    this.emit("close", false);
    return this;
  }
}

let streams = 0;
let sessions = 0;
let scripted = 0;
let refused = 0;
let requests = 0;
let slowestMs = 0;

/** The connection that is there all the time, and must never notice. */
let witness: MemorySocket;
let server: RespServer;

async function checkSession(stream: Buffer, parsed: Parsed, chance: Chance): Promise<void> {
  sessions += 1;
  const socket = new MemorySocket();
  server.accept(socket, "memory");
  for (const chunk of cut(stream, chance.below(4), chance)) if (!socket.isEnded) socket.emit("data", chunk);
  const script = scriptOf(parsed.requests);
  await turn();
  if (script !== undefined) {
    // A connection that was carried out for too long gives way, and goes on in a later turn.
    const willEnd = script.isEnded || parsed.error !== undefined;
    const isOver = (): boolean =>
      socket.isEnded || (!willEnd && splitReplies(socket.sent).length >= script.replies.length);
    for (let turns = 0; turns < TURNS_MAX && !isOver(); turns += 1) await turn();
    checkReplies(socket.sent, script, parsed, socket.isEnded);
  }
  socket.destroy();
}

function checkReplies(
  sent: Bytes,
  script: NonNullable<ReturnType<typeof scriptOf>>,
  parsed: Parsed,
  isEnded: boolean,
): void {
  scripted += 1;
  const replies = splitReplies(sent);
  const isWrong = parsed.error !== undefined && !script.isEnded;
  assert.equal(isEnded, script.isEnded || isWrong, "whether the connection is ended");
  // While replies are off the last word is not heard either.
  const last = isWrong && replies.length > script.replies.length ? replies.pop() : undefined;
  if (last !== undefined) assert.equal(last, `-ERR ${(parsed.error ?? "").replace(/[\r\n]/g, " ")}\r\n`);
  const isWhole =
    replies.length === script.replies.length || (script.isCutOff && replies.length < script.replies.length);
  assert.ok(isWhole, `${replies.length} replies to ${JSON.stringify(parsed)}: ${JSON.stringify(replies)}`);
  for (const [i, reply] of replies.entries()) {
    const expected = script.replies[i];
    if (expected !== undefined)
      assert.ok(expected.includes(reply), `reply ${i} of ${JSON.stringify(replies)}`);
  }
}

async function checkSocket(stream: Buffer, peer: Peer, chance: Chance): Promise<void> {
  const parsed = parse([stream]);
  const script = scriptOf(parsed.requests);
  const isEnded = script?.isEnded === true || parsed.error !== undefined;
  // Who goes on writing to a connection that was ended may not get to read why.
  for (const chunk of cut(stream, isEnded ? 0 : chance.below(4), chance)) {
    peer.socket.write(chunk);
    if (chance.below(4) === 0) await new Promise(setImmediate);
  }
  if (script === undefined) {
    peer.socket.destroy();
    return;
  }
  // A client that says no more is answered all the same.
  if (!isEnded) peer.socket.end();
  checkReplies(await peer.all(), script, parsed, isEnded);
}

/** The stream of a case: mostly spoilt ones. */
function drawStream(chance: Chance): Buffer {
  const stream = encodeCommands(drawCommands(chance), chance);
  if (chance.below(10) === 0) return stream;
  return mutate(stream, chance, () => encodeCommands(drawCommands(chance), chance));
}

function heapBytes(): number {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc()");
  return process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
}

async function runStreams(count: number, chance: Chance): Promise<void> {
  for (let i = 0; i < count; i += 1) {
    const stream = drawStream(chance);
    streams += 1;
    const sinceMs = performance.now();
    try {
      const parsed = checkCuts(stream, chance);
      requests += parsed.requests.length;
      if (parsed.error !== undefined) refused += 1;
      if (i % (STREAMS / SESSION_STREAMS) === 0) await checkSession(stream, parsed, chance);
    } catch (cause) {
      throw new Error(`stream ${streams} of seed ${SEED}: ${JSON.stringify(stream.toString("latin1"))}`, {
        cause,
      });
    }
    slowestMs = Math.max(slowestMs, performance.now() - sinceMs);
    if (i % 1_000 === 0) await checkWitness(i);
  }
}

async function checkWitness(n: number): Promise<void> {
  witness.sent = "";
  witness.emit("data", Buffer.from(`ECHO ${n}\r\n`));
  await turn();
  assert.equal(witness.sent, `$${String(n).length}\r\n${n}\r\n`);
}

describe(`reading hostile clients (seed ${SEED})`, () => {
  let heapBefore = 0;

  before(async () => {
    server = new RespServer(new MemoryKeyspace());
    witness = new MemorySocket();
    server.accept(witness, "memory");
    await runStreams(20_000, new Chance(SEED));
    heapBefore = heapBytes();
  });

  after(() => {
    server.close();
  });

  it("reads what was written, whichever way", () => {
    const chance = new Chance(SEED + 1);
    for (let i = 0; i < 20_000; i += 1) {
      const commands = drawCommands(chance);
      const { requests: read, error } = checkCuts(encodeCommands(commands, chance), chance);
      assert.equal(error, undefined);
      assert.deepEqual(read, commands);
    }
  });

  it(`survives ${STREAMS} streams, cut anywhere, with every reply in its place`, async () => {
    await runStreams(STREAMS - streams, new Chance(SEED + 2));
    assert.ok(slowestMs < CASE_MS_MAX, `the slowest took ${slowestMs} ms`);
  });

  it(`survives ${SOCKET_STREAMS} streams on sockets of the system`, async () => {
    const chance = new Chance(SEED + 3);
    const host = await RespHost.start();
    try {
      const faithful = await host.client();
      for (let i = 0; i < SOCKET_STREAMS; i += 1) {
        await checkSocket(drawStream(chance), await host.client(i % 2 === 0 ? "unix" : "tcp"), chance);
        if (i % 100 === 0) assert.equal(await faithful.ask(`ECHO ${i}`), `$${String(i).length}\r\n${i}\r\n`);
      }
    } finally {
      await host.close();
    }
  });

  it("has kept nothing", () => {
    const grown = heapBytes() - heapBefore;
    assert.ok(grown < GROWTH_BYTES_MAX, `${grown} bytes more`);
  });

  after(() => {
    console.log(
      `${streams} streams of seed ${SEED}: ${requests} requests, ${refused} ended by an error; ` +
        `${sessions} through a connection, ${scripted} with every reply known; the slowest ${slowestMs.toFixed(1)} ms`,
    );
  });
});
