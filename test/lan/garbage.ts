/** Garbage of many kinds, for the ports of a node. */
import { randomBytes, randomInt } from "node:crypto";

type Datagram = (beacon: Buffer) => Buffer;
type Stream = () => Buffer;

const datagrams: readonly [Datagram, ...Datagram[]] = [
  () => Buffer.alloc(0),
  () => randomBytes(randomInt(1, 512)),
  () => randomBytes(randomInt(512, 60_000)),
  (beacon) => beacon.subarray(0, randomInt(beacon.length + 1)),
  (beacon) => Buffer.concat([beacon, beacon]),
  (beacon) => Buffer.concat([beacon, randomBytes(randomInt(1, 64))]),
  (beacon) => changed(beacon, 1),
  (beacon) => changed(beacon, 1),
  (beacon) => changed(beacon, 4),
  (beacon) => changed(beacon, 32),
];

/** The signature, version 3.1, the mechanism NULL, and the filler: how every ZMTP connection begins. */
const greeting = Buffer.concat([
  Buffer.from("ff00000000000000017f0301", "hex"),
  Buffer.from("NULL".padEnd(20, "\0")),
  Buffer.alloc(32),
]);
/** The command READY, of a SUB socket. */
const ready = Buffer.from("0419055245414459" + "0b536f636b65742d54797065" + "00000003" + "535542", "hex");

const streams: readonly [Stream, ...Stream[]] = [
  () => randomBytes(randomInt(1, 5000)),
  () => Buffer.from("GET / HTTP/1.1\r\n\r\n"),
  () => greeting.subarray(0, 10),
  () => greeting.subarray(0, randomInt(1, greeting.length)),
  () => Buffer.concat([greeting, randomBytes(randomInt(1, 5000))]),
  () => Buffer.concat([greeting, ready, randomBytes(randomInt(1, 5000))]),
  // A message that claims to be as long as 64 bits can say.
  () => Buffer.concat([greeting, ready, Buffer.from("027fffffffffffffff", "hex"), randomBytes(1000)]),
  // Many subscriptions.
  () => Buffer.concat([greeting, ready, ...Array.from({ length: 500 }, () => subscription(randomBytes(20)))]),
];

function subscription(topic: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0, topic.length + 1, 1]), topic]);
}

/** Garbage for the UDP port, some of it made of a real beacon. */
export function spoiledDatagram(beacon: Buffer): Buffer {
  return pick(datagrams)(beacon);
}

/** The first bytes of a TCP connection to a PUB port. */
export function spoiledStream(): Buffer {
  return pick(streams)();
}

/** The frames of a message of a PUB socket: nonsense under the topics of the protocol. */
export function spoiledMessage(): Buffer[] {
  const topic = Buffer.from(
    pick(["set ", "tick ", "question ", "answer ", "list ", "list_answer ", "set", ""]),
  );
  const nonsense = randomBytes(randomInt(2000));
  return pick([[topic], [topic, nonsense], [Buffer.concat([topic, nonsense])], [topic, nonsense, nonsense]]);
}

function changed(beacon: Buffer, bytes: number): Buffer {
  const copy = Buffer.from(beacon);
  for (let i = 0; i < bytes && copy.length > 0; i++) copy[randomInt(copy.length)] = randomInt(256);
  return copy;
}

export function pick<T>(of: readonly [T, ...T[]]): T {
  return of[randomInt(of.length)] ?? of[0];
}
