/** From a SET on one host until a GET on another sees it: the same client and the same loop for both sides. */
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import Parser from "redis-parser";
import { RespClient } from "../../test/lan/resp-client.js";

/**
 * @param writeSocket unix socket of the server that is written to
 * @param readSocket unix socket of the server that follows
 * @returns milliseconds of each sample, ascending
 */
export async function visibleAfterMs(
  writeSocket: string,
  readSocket: string,
  samples: number,
): Promise<readonly number[]> {
  const writer = await RespClient.connect(writeSocket);
  const reader = await RespClient.connect(readSocket);
  const tookMs: number[] = [];
  for (let i = 0; i < samples; i += 1) {
    const value = String(i);
    const startedAtMs = performance.now();
    await writer.call("SET", "latency", value);
    while (String(await reader.call("GET", "latency")) !== value)
      if (performance.now() - startedAtMs > 30_000) throw new Error("a write was not seen for 30 s");
    tookMs.push(performance.now() - startedAtMs);
  }
  writer.close();
  reader.close();
  return tookMs.sort((a, b) => a - b);
}

/**
 * From a SET at a Redis primary until a subscriber of its replica hears of it: what an application waits that is
 * told of changes. The replica must have keyspace events on.
 * @returns milliseconds of each sample, ascending
 */
export async function heardAfterMs(
  writeSocket: string,
  readSocket: string,
  samples: number,
): Promise<readonly number[]> {
  const writer = await RespClient.connect(writeSocket);
  const subscriber = connect(readSocket);
  const tookMs: number[] = [];
  let hear: () => void = () => undefined;
  const parser = new Parser({
    returnReply: () => {
      hear();
    },
    returnError: (error) => {
      throw error;
    },
  });
  subscriber.on("data", (chunk) => {
    parser.execute(chunk);
  });
  const subscribed = new Promise<void>((resolve) => (hear = resolve));
  subscriber.write("SUBSCRIBE __keyevent@0__:set\r\n");
  await subscribed;
  for (let i = 0; i < samples; i += 1) {
    const startedAtMs = performance.now();
    const heard = new Promise<void>((resolve) => (hear = resolve));
    await writer.call("SET", "latency", String(i));
    await heard;
    tookMs.push(performance.now() - startedAtMs);
    await sleep(1);
  }
  writer.close();
  subscriber.destroy();
  return tookMs.sort((a, b) => a - b);
}

/** The value below which so large a share of the ascending values lies. */
export function percentile(ascending: readonly number[], share: number): number {
  return ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * share))] ?? NaN;
}
