/** What scenarios ask of several daemons at once. */
import assert from "node:assert/strict";
import type { Daemon } from "./daemon.js";
import type { Command, Reply } from "./resp-client.js";
import { type Patience, until } from "./until.js";

/** A node that answers, wherever it runs. */
export type Answering = Pick<Daemon, "name" | "peersUp" | "status" | "get" | "keyCount" | "connect">;

export type Entry = readonly [key: string, value: string | Buffer];

/** Each of them has exactly the others as peers that are up. */
export async function seeEachOther(daemons: readonly Answering[], patience: Patience = {}): Promise<void> {
  for (const daemon of daemons) {
    const others = daemons.filter((other) => other !== daemon).map(({ name }) => name);
    await seesExactly(daemon, others, patience);
  }
}

/** The daemon's peers that are up are exactly these. */
export async function seesExactly(
  daemon: Answering,
  names: string[],
  patience: Patience = {},
): Promise<void> {
  const wanted = [...names].sort();
  await until(
    `${daemon.name} sees ${wanted.join(", ")}`,
    async () => assert.deepEqual(await daemon.peersUp(), wanted),
    patience,
  );
}

/** All hold the same, by their own word: equal roots, as many keys, and each is live, or in the state that is asked for. */
export async function equalRoots(
  daemons: readonly Answering[],
  { state = "live", ...patience }: Patience & { state?: string } = {},
): Promise<void> {
  await until(
    "equal roots",
    async () => {
      const statuses = await Promise.all(daemons.map((daemon) => daemon.status()));
      const held = statuses.map(({ name, state, keys, root }) => ({ name, state, keys, root }));
      const first = held[0];
      assert.deepEqual(
        held,
        held.map(({ name }) => ({ name, state, keys: first?.keys, root: first?.root })),
      );
    },
    patience,
  );
}

/** Each of them reads this value, or nothing when it is undefined. */
export async function allRead(
  daemons: readonly Answering[],
  key: string,
  value: string | undefined,
  patience: Patience = {},
): Promise<void> {
  for (const daemon of daemons) {
    await until(
      `${key} on ${daemon.name}`,
      async () => assert.equal(await daemon.get(key), value, `${key} on ${daemon.name}`),
      patience,
    );
  }
}

/** Each of them holds these entries, every value read back and compared, and no other key. */
export async function holdExactly(daemons: readonly Answering[], entries: readonly Entry[]): Promise<void> {
  for (const daemon of daemons) {
    assert.equal(await daemon.keyCount(), entries.length, `as many keys on ${daemon.name}`);
    await holds(daemon, entries);
  }
}

/** The daemon holds these entries, whatever else; every value is read back and compared. */
export async function holds(daemon: Answering, entries: readonly Entry[]): Promise<void> {
  const client = await daemon.connect();
  const wrong: string[] = [];
  let read = 0;
  await client.stream(gets(entries), (reply) => {
    const entry = entries[read];
    read += 1;
    if (entry !== undefined && !isEqual(reply, entry[1])) wrong.push(entry[0]);
  });
  client.close();
  assert.equal(read, entries.length);
  assert.equal(
    wrong.length,
    0,
    `${daemon.name} lacks ${String(wrong.length)} values, such as ${wrong[0] ?? ""}`,
  );
}

function* gets(entries: readonly Entry[]): Generator<Command> {
  for (const [key] of entries) yield ["GET", key];
}

function isEqual(reply: Reply, value: string | Buffer): boolean {
  return Buffer.isBuffer(reply) && reply.equals(typeof value === "string" ? Buffer.from(value) : value);
}
