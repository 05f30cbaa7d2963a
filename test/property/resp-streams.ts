/** Streams of commands by chance, and what spoils them: what a client may send, and what nobody should. */
import type { Bytes } from "../../src/core/bytes.js";
import type { Chance } from "./wire-chance.js";

export type Command = readonly Bytes[];

const KEYS: readonly [Bytes, ...Bytes[]] = [
  "a",
  "b",
  "key:1",
  "key with blank",
  "\0\xff\r\n",
  "k".repeat(40),
];
const VALUES: readonly [Bytes, ...Bytes[]] = [
  "",
  "1",
  "17",
  "text",
  "\r\n",
  "$3\r\nfoo\r\n",
  "\xff".repeat(30),
];

type Draw = (chance: Chance) => Command;

/** Commands with one reply each, whatever state the connection is in. */
const plain: readonly [Draw, ...Draw[]] = [
  (chance) => ["GET", chance.pick(KEYS)],
  (chance) => ["SET", chance.pick(KEYS), chance.pick(VALUES)],
  (chance) => ["SET", chance.pick(KEYS), chance.pick(VALUES), "PX", "100000", "NX", "GET"],
  (chance) => ["del", chance.pick(KEYS), chance.pick(KEYS)],
  (chance) => ["INCR", chance.pick(KEYS)],
  (chance) => ["MGET", chance.pick(KEYS), chance.pick(KEYS), chance.pick(KEYS)],
  (chance) => ["MSET", chance.pick(KEYS), chance.pick(VALUES), chance.pick(KEYS), chance.pick(VALUES)],
  (chance) => ["APPEND", chance.pick(KEYS), "x"],
  (chance) => ["getrange", chance.pick(KEYS), "0", "-2"],
  (chance) => ["EXPIRE", chance.pick(KEYS), "100", "NX"],
  (chance) => ["TTL", chance.pick(KEYS)],
  () => ["SCAN", "0", "MATCH", "k*", "COUNT", "10"],
  (chance) => ["PING", chance.pick(VALUES)],
  () => ["PING"],
  () => ["COMMAND", "COUNT"],
  () => ["CLIENT", "GETNAME"],
  () => ["CLIENT", "SETNAME", "tester"],
  () => ["HELLO"],
  () => ["HELLO", "2"],
  () => ["HELLO", "3", "SETNAME", "tester"],
  () => ["CONFIG", "GET", "max*"],
  () => ["SELECT", "0"],
  () => ["NONSENSE", "x", "y"],
  () => ["GET"],
  () => ["LPUSH", "a", "b"],
  (chance) => ["WATCH", chance.pick(KEYS)],
  () => ["UNWATCH"],
];

const transactional: readonly [Draw, ...Draw[]] = [
  () => ["MULTI"],
  () => ["EXEC"],
  () => ["DISCARD"],
  () => ["RESET"],
];

/** Channels and patterns that no key event matches. */
export const CHANNELS: readonly [Bytes, ...Bytes[]] = ["news", "weather", "\xff\0"];

const listening: readonly [Draw, ...Draw[]] = [
  (chance) => ["SUBSCRIBE", chance.pick(CHANNELS), chance.pick(CHANNELS)],
  (chance) => ["PSUBSCRIBE", chance.pick(CHANNELS)],
  (chance) => ["UNSUBSCRIBE", chance.pick(CHANNELS)],
  () => ["UNSUBSCRIBE"],
  () => ["PUNSUBSCRIBE"],
  (chance) => ["CLIENT", "REPLY", chance.pick(["ON", "OFF", "SKIP"])],
  () => ["RESET"],
  () => ["QUIT"],
];

/** Some commands, and behind each an ECHO of a number that is its own. */
export function drawCommands(chance: Chance): Command[] {
  const special = chance.below(2) === 0 ? transactional : listening;
  const commands: Command[] = [];
  for (let count = 1 + chance.below(4); count > 0; count -= 1) {
    commands.push((chance.below(3) === 0 ? chance.pick(special) : chance.pick(plain))(chance));
    if (chance.below(2) === 0) commands.push(["ECHO", String(chance.u32())]);
  }
  return commands;
}

/** The commands as clients and people write them. */
export function encodeCommands(commands: readonly Command[], chance: Chance): Buffer {
  return Buffer.from(commands.map((command) => encodeCommand(command, chance)).join(""), "latin1");
}

function encodeCommand(command: Command, chance: Chance): Bytes {
  const isBare = command.every((arg) => /^[!#-&(-~]+$/.test(arg));
  switch (chance.below(8)) {
    case 0:
      return `${command.map((arg) => (isBare ? arg : quoted(arg))).join(" ")}\r\n`;
    case 1:
      return ` ${command.map(quoted).join("\t ")} \n`;
    case 2:
      // What asks for nothing.
      return `${chance.pick(["\r\n", "\n", "*0\r\n", "*-1\r\n", "   \r\n"])}${multibulk(command)}`;
    default:
      return multibulk(command);
  }
}

function multibulk(command: Command): Bytes {
  return `*${command.length}\r\n${command.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join("")}`;
}

function quoted(arg: Bytes): Bytes {
  const escaped = arg.replace(
    /[^ !#-[\]-~]/g,
    (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
  return `"${escaped}"`;
}

type Mutation = (stream: Buffer, chance: Chance, drawOther: () => Buffer) => Buffer;

const LENGTHS: readonly [string, ...string[]] = [
  ...(["0", "1", "-1", "-2", "-10", "", "-", "+1", "01", "1e3", "1048577", "16777217", "67108865"] as const),
  ...(["2147483648", "4294967297", "9007199254740993", "9223372036854775808", "9".repeat(40)] as const),
];

const LINE_ENDS: readonly [string, ...string[]] = ["\n", "\r", "\r\r\n", "\n\r", "\r\0", "", "\r\n\r\n"];

const FRAGMENTS: readonly [Bytes, ...Bytes[]] = [
  ...([
    "*",
    "$",
    "*1\r\n",
    "$1\r\n",
    "*3\r\n$3\r\n",
    "\r\n",
    "\n",
    '"',
    "'",
    "\\x",
    '"\\',
    "\0",
    "PING\r\n",
  ] as const),
  ...([
    "POST / HTTP/1.1\r\n",
    "Host: here\r\n",
    "*2147483647\r\n",
    "set a 'b\\'\r\n",
    "\xef\xbb\xbf",
  ] as const),
];

const mutations: readonly [Mutation, ...Mutation[]] = [
  function flipBits(stream, chance) {
    for (let flips = 1 + chance.below(4); flips > 0; flips -= 1) {
      const at = chance.below(stream.length);
      stream[at] = (stream[at] ?? 0) ^ (1 << chance.below(8));
    }
    return stream;
  },
  function truncate(stream, chance) {
    return stream.subarray(0, chance.below(stream.length));
  },
  function behead(stream, chance) {
    return stream.subarray(chance.below(stream.length));
  },
  function repeat(stream, chance) {
    const at = chance.below(stream.length);
    return Buffer.concat([stream.subarray(0, at + chance.below(32)), stream.subarray(at)]);
  },
  function remove(stream, chance) {
    const at = chance.below(stream.length);
    return Buffer.concat([stream.subarray(0, at), stream.subarray(at + 1 + chance.below(8))]);
  },
  function splice(stream, chance, drawOther) {
    const other = drawOther();
    return Buffer.concat([
      stream.subarray(0, chance.below(stream.length)),
      other.subarray(chance.below(other.length)),
    ]);
  },
  function insertFragment(stream, chance) {
    const at = chance.below(stream.length);
    return Buffer.concat([
      stream.subarray(0, at),
      Buffer.from(chance.pick(FRAGMENTS), "latin1"),
      stream.subarray(at),
    ]);
  },
  function insertBytes(stream, chance) {
    const at = chance.below(stream.length);
    return Buffer.concat([stream.subarray(0, at), chance.bytes(1 + chance.below(16)), stream.subarray(at)]);
  },
  function misstateLength(stream, chance) {
    return replaceOne(stream, /[*$]-?\d+\r\n/g, chance, (found) => {
      const length = Number(found.slice(1, -2));
      const stated = chance.below(2) === 0 ? String(length + (chance.below(5) - 2)) : chance.pick(LENGTHS);
      return `${found.charAt(0)}${stated}\r\n`;
    });
  },
  function changeLineEnd(stream, chance) {
    return replaceOne(stream, /\r\n/g, chance, () => chance.pick(LINE_ENDS));
  },
];

function replaceOne(stream: Buffer, what: RegExp, chance: Chance, to: (found: string) => string): Buffer {
  const text = stream.toString("latin1");
  const found = [...text.matchAll(what)];
  const match = found[chance.below(Math.max(found.length, 1))];
  if (match === undefined) return stream;
  const after = match.index + match[0].length;
  return Buffer.from(`${text.slice(0, match.index)}${to(match[0])}${text.slice(after)}`, "latin1");
}

/** @param drawOther gives another stream, of which a part may come in */
export function mutate(stream: Buffer, chance: Chance, drawOther: () => Buffer): Buffer {
  let mutated = stream;
  for (let rounds = 1 + chance.below(3); rounds > 0 && mutated.length > 0; rounds -= 1) {
    mutated = chance.pick(mutations)(mutated, chance, drawOther);
  }
  return mutated;
}
