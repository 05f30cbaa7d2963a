/** `lankv del`. */
import { createInterface } from "node:readline/promises";
import type { Client } from "./client.js";
import { withDaemon } from "./connect.js";
import { EXIT, Failure, type ExitCode } from "./exit.js";
import type { GlobalFlags } from "./flags.js";
import { toBuffers, toNumber } from "./replies.js";

export interface DelFlags extends GlobalFlags {
  readonly prefix?: string;
  readonly force?: true;
}

export function del(keys: readonly string[], flags: DelFlags): Promise<ExitCode> {
  const { prefix } = flags;
  if ((prefix === undefined) === (keys.length === 0)) {
    throw new Failure(EXIT.usage, "Name the keys to delete, or with --prefix what they start with.");
  }
  return withDaemon(flags, async (client) => {
    const count =
      prefix === undefined ? toNumber(await client.call("DEL", ...keys)) : await clear(client, prefix, flags);
    if (flags.json === true) process.stdout.write(`${JSON.stringify({ deleted: count })}\n`);
    else if (flags.quiet !== true && prefix !== undefined)
      process.stderr.write(`lankv: deleted ${String(count)} keys\n`);
    if (count > 0 || prefix !== undefined) return EXIT.ok;
    if (flags.quiet !== true) process.stderr.write("lankv: no such key\n");
    return EXIT.keyMissing;
  });
}

async function clear(client: Client, prefix: string, { force }: DelFlags): Promise<number> {
  if (force !== true) await confirm(toBuffers(await client.call("LANKV.LS", prefix)).length, prefix);
  return toNumber(await client.call("LANKV.CLEAR", prefix));
}

async function confirm(count: number, prefix: string): Promise<void> {
  const question = `${String(count)} keys that start with ${JSON.stringify(prefix)}`;
  if (!process.stdin.isTTY) {
    throw new Failure(EXIT.usage, `This would delete ${question}, on all nodes. Confirm it with -f.`);
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`Delete ${question}, on all nodes? [y/N] `);
  terminal.close();
  if (!/^y(es)?$/i.test(answer.trim())) throw new Failure(EXIT.error, "Nothing was deleted.");
}
