/** `lankv ping`. */
import { randomUUID } from "node:crypto";
import { LankvError } from "../core/error.js";
import { REPLY_MS, type Client } from "./client.js";
import { withDaemon } from "./connect.js";
import { EXIT, Failure, type ExitCode } from "./exit.js";
import type { GlobalFlags } from "./flags.js";
import { toPrintableText } from "./printable.js";
import { toObjects } from "./replies.js";

/** How long a peer may take to answer. */
const PEER_MS = 1_000;

type Peer = Readonly<Record<string, unknown>>;

/** @param peer name of a peer, or how its node id begins; undefined = the daemon itself */
export function ping(peer: string | undefined, flags: GlobalFlags): Promise<ExitCode> {
  if (peer === undefined) {
    return withDaemon(flags, async (client) => {
      // The first of a process also pays for the code that has not run yet.
      await client.call("PING");
      const from = performance.now();
      await client.call("PING");
      show("pong", {}, performance.now() - from, flags);
      return EXIT.ok;
    });
  }
  const waitMs = flags.timeout ?? PEER_MS;
  return withDaemon({ ...flags, timeout: REPLY_MS }, async (client) => {
    const { nodeId, name, rttMs } = await pinged(client, peer, waitMs);
    show(`pong from ${toPrintableText(String(name))}`, { nodeId, name }, Number(rttMs), flags);
    return EXIT.ok;
  });
}

/**
 * A key that nobody holds is asked of the peers: whoever is linked answers one short question, and the round trip
 * that the node knows of each is from now.
 * @returns the peer as it is after its answer
 */
async function pinged(client: Client, wanted: string, waitMs: number): Promise<Peer> {
  const before = chosen(await peersOf(client), wanted);
  if (before["state"] !== "up" || before["linked"] !== true) throw silent(before, "it is not linked");
  client.allow(waitMs + REPLY_MS);
  const from = performance.now();
  await client.call("LANKV.GET", `lankv ping ${randomUUID()}`, waitMs);
  const isAnsweredByAll = performance.now() - from < waitMs;
  const now = (await peersOf(client)).find(({ nodeId }) => nodeId === before["nodeId"]);
  // When another one keeps the node waiting, only a time that has changed tells that this one did answer.
  if (now?.["linked"] === true && (isAnsweredByAll || now["rttMs"] !== before["rttMs"])) return now;
  throw silent(before, `no answer for ${String(waitMs)} ms`);
}

async function peersOf(client: Client): Promise<readonly Peer[]> {
  return toObjects(await client.call("LANKV.PEERS"));
}

/** @throws {Failure} none or several are called so */
function chosen(peers: readonly Peer[], wanted: string): Peer {
  const named = peers.filter(({ name }) => name === wanted);
  const meant = named.length > 0 ? named : peers.filter(({ nodeId }) => String(nodeId).startsWith(wanted));
  // One that came back as a new node has the name of the one that is gone.
  const present = meant.filter(({ state }) => state !== "gone");
  const found = present.length > 0 ? present : meant;
  const [peer] = found;
  if (peer !== undefined && found.length === 1) return peer;
  throw new Failure(
    EXIT.error,
    peer === undefined
      ? `There is no peer ${JSON.stringify(wanted)}. See who is there with 'lankv peers'.`
      : `Several peers are called ${JSON.stringify(wanted)}. Name one by its node id: ` +
          `${found.map(({ nodeId }) => String(nodeId)).join(", ")}.`,
  );
}

function silent({ name, state }: Peer, why: string): LankvError {
  return new LankvError(
    "LANKV_TIMEOUT",
    `The peer ${JSON.stringify(name)} (${String(state)}) does not answer: ${why}. See its state with 'lankv peers'.`,
  );
}

function show(text: string, facts: object, ms: number, { json, quiet }: GlobalFlags): void {
  const rttMs = Math.round(ms * 100) / 100;
  if (json === true) process.stdout.write(`${JSON.stringify({ ...facts, rttMs })}\n`);
  else if (quiet !== true) process.stdout.write(`${text} in ${String(rttMs)} ms\n`);
}
