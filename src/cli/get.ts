/** `lankv get`, `lankv exists`. */
import { writeFile } from "node:fs/promises";
import { LIMITS } from "../core/bytes.js";
import { withDaemon } from "./connect.js";
import { EXIT, Failure, type ExitCode } from "./exit.js";
import type { GlobalFlags } from "./flags.js";
import { REPLY_MS } from "./client.js";
import { toPrintable } from "./printable.js";
import { toBufferOrNull, toNumber, toObject } from "./replies.js";

/** How long the peers are asked for a missing key. */
const SEEK_MS = 1_000;

export interface GetFlags extends GlobalFlags {
  readonly raw?: true;
  readonly output?: string;
  readonly meta?: true;
}

export function get(key: string, flags: GetFlags): Promise<ExitCode> {
  const keyBytes = Buffer.byteLength(key);
  if (keyBytes < 1 || keyBytes > LIMITS.keyBytesMax) {
    throw new Failure(
      EXIT.usage,
      `A key has 1 to ${String(LIMITS.keyBytesMax)} bytes, not ${String(keyBytes)}.`,
    );
  }
  const seekMs = flags.timeout ?? SEEK_MS;
  return withDaemon({ ...flags, timeout: Math.max(REPLY_MS, flags.timeout ?? 0) }, async (client) => {
    client.allow(seekMs + REPLY_MS);
    const command = flags.json === true ? "LANKV.ENTRY" : flags.meta === true ? "LANKV.META" : "LANKV.GET";
    const found = toBufferOrNull(await client.call(command, key, seekMs));
    if (found === null) {
      if (flags.quiet !== true) process.stderr.write(`lankv: there is no key ${JSON.stringify(key)}\n`);
      return EXIT.keyMissing;
    }
    const bytes = flags.json === true ? withLineEnd(found) : flags.meta === true ? toMeta(found) : found;
    await put(bytes, flags);
    return EXIT.ok;
  });
}

export function exists(key: string, flags: GlobalFlags): Promise<ExitCode> {
  return withDaemon(flags, async (client) =>
    toNumber(await client.call("EXISTS", key)) === 1 ? EXIT.ok : EXIT.keyMissing,
  );
}

async function put(bytes: Buffer, { output, raw }: GetFlags): Promise<void> {
  if (output !== undefined && output !== "-") {
    await writeFile(output, bytes).catch((cause: unknown) => {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new Failure(EXIT.error, `The value cannot be written to ${output}: ${why}`, { cause });
    });
  } else if (process.stdout.isTTY && raw !== true) {
    process.stdout.write(withLineEnd(Buffer.from(toPrintable(bytes))));
  } else {
    process.stdout.write(bytes);
  }
}

/** What is known of the key besides its value, one line each. */
function toMeta(found: Buffer): Buffer {
  const { version, origin, updatedAt, expiresAt, bytes } = toObject(found);
  const lines = [
    `version  ${String(version)}`,
    `origin   ${String(origin)}`,
    `updated  ${new Date(Number(updatedAt)).toISOString()}`,
    `expires  ${typeof expiresAt === "number" ? new Date(expiresAt).toISOString() : "never"}`,
    `bytes    ${String(bytes)}`,
  ];
  return Buffer.from(`${lines.join("\n")}\n`);
}

function withLineEnd(bytes: Buffer): Buffer {
  return bytes.at(-1) === 10 ? bytes : Buffer.concat([bytes, Buffer.from("\n")]);
}
