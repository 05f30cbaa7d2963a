/**
 * A program: carries the frames of one poor wire. The switch wraps each frame into a datagram (VXLAN), which
 * arrives here at the port of one end and leaves, later or never, for the port of the other.
 *
 * The kernel's netem would do the same, but not every kernel has it, those of small virtual machines least of all.
 */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { WireDirection, type WireQuality } from "./wire-quality.js";

const [here = "", there = "", leftPort = "", rightPort = "", quality = "{}"] = process.argv.slice(2);

const left = createSocket("udp4");
const right = createSocket("udp4");
carry(left, right, Number(rightPort));
carry(right, left, Number(leftPort));
left.bind(Number(leftPort), here);
right.bind(Number(rightPort), here);
await Promise.all([once(left, "listening"), once(right, "listening")]);
console.log("ready");

function carry(from: typeof left, to: typeof left, toPort: number): void {
  const direction = new WireDirection<Buffer>(parseQuality(quality), seededRandom(toPort));
  let timer: NodeJS.Timeout | undefined;

  from.on("message", (frame) => {
    direction.handleFrame(frame, frame.length, performance.now());
    deliver();
  });

  function deliver(): void {
    for (const frame of direction.due(performance.now())) to.send(frame, toPort, there);
    clearTimeout(timer);
    const { nextDueMs } = direction;
    if (nextDueMs !== undefined) timer = setTimeout(deliver, nextDueMs - performance.now());
  }
}

function parseQuality(json: string): WireQuality {
  const parsed: unknown = JSON.parse(json);
  const quality: WireQuality = {};
  if (typeof parsed !== "object" || parsed === null) return quality;
  if ("lossPercent" in parsed) quality.lossPercent = Number(parsed.lossPercent);
  if ("delayMs" in parsed) quality.delayMs = Number(parsed.delayMs);
  if ("rateMbit" in parsed) quality.rateMbit = Number(parsed.rateMbit);
  return quality;
}

/** The same losses at each run of a test, as far as the traffic is the same (mulberry32). */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
