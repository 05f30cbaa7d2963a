/**
 * Invariant 8: nothing grows with time or with somebody hostile: peers, the departed, conflicts, connections,
 * questions under way, the bytes of an answer. And no timer is in the past, which would make a driver spin. That a peer's subscriptions
 * make it be asked again no more than once in its patience does not show here, but in test/scenarios.
 */
import { Violation, type Checker, type Published, type Scene, type Stepped } from "../checker.js";
import type { Process } from "../process.js";

const PEERS_MAX = 256;
const CONFLICTS_MAX = 1_024;
const QUESTIONS_MAX = 8;
const QUESTIONS_PER_PEER_MAX = 2;
/** The budget of a question, and one record of the greatest size that the workload writes. */
const ANSWER_BYTES_MAX = 256 * 1024 + 320 * 1024;
/** No question is given up sooner. */
const PATIENCE_MIN_MS = 1_000;
/** One a second, bursts of hellos, and answers at the rate that hellos may force. */
const BEACONS_PER_SECOND_MAX = 60;
/** What a question that names what is held may carry. */
const QUESTION_BYTES_MAX = 600 * 1024;

interface Asked {
  readonly to: string;
  readonly atMs: number;
  /** Asked before its peer subscribed anew, for which it may be asked again: then two answers are on their way. */
  isSuperseded: boolean;
  bytes: number;
}

export class BoundsChecker implements Checker {
  readonly name = "bounds";
  readonly #asked = new Map<Process, Map<number, Asked>>();
  readonly #beacons = new Map<Process, number>();

  ended(process: Process): void {
    this.#asked.delete(process);
  }

  second({ alive }: Scene): void {
    for (const [process, beacons] of this.#beacons) {
      if (beacons > BEACONS_PER_SECOND_MAX)
        this.#fail(process, `sent ${String(beacons)} beacons in a second`);
    }
    this.#beacons.clear();
    for (const process of alive) {
      const { presence, conflicts } = process.replica;
      const isBounded =
        presence.peers.size <= PEERS_MAX &&
        presence.departed.length <= PEERS_MAX &&
        conflicts.list().length <= CONFLICTS_MAX &&
        process.links.length <= PEERS_MAX &&
        [...presence.peers.values()].every((peer) => peer.hosts.length <= 8);
      if (!isBounded) this.#fail(process, "remembers too much");
      if (process.links.length > presence.peers.size)
        this.#fail(
          process,
          `has ${String(process.links.length)} connections to ${String(presence.peers.size)} peers`,
        );
    }
  }

  stepped({ process, input, effects, now, atMs }: Stepped): void {
    if (input.type !== "stop" && process.replica.wakeAtMs <= now.monoMs)
      this.#fail(
        process,
        `wants to be woken ${String(now.monoMs - process.replica.wakeAtMs)} ms ago, after ${input.type}`,
      );
    for (const { type } of effects)
      if (type === "beacon") this.#beacons.set(process, (this.#beacons.get(process) ?? 0) + 1);
    const asked = this.#asked.get(process);
    if (asked === undefined || asked.size === 0) return;
    // What was asked over a link that is no more is lost.
    const dropped = effects.flatMap((effect) =>
      effect.type === "peer" && effect.change === "gone" ? [effect.peer.writer] : [],
    );
    for (const [id, { to }] of asked) {
      const isLinked = process.replica.presence.peers.get(to)?.isLinked === true;
      if (!isLinked || dropped.includes(to)) asked.delete(id);
    }
    if (input.type === "subscription" && input.present) this.#supersede(process, input.writer);
    if (input.type !== "message") return;
    const { message } = input;
    if (message.type !== "answer" && message.type !== "list_answer") return;
    const question = asked.get(message.id);
    if (question?.to !== message.from) return;
    if (message.type === "answer")
      question.bytes += message.records.reduce((sum, { key, value }) => sum + key.length + value.length, 0);
    if (question.bytes > ANSWER_BYTES_MAX)
      this.#fail(
        process,
        `got ${String(question.bytes)} B for one question, ${String(atMs - question.atMs)} ms after`,
      );
    if (message.last) asked.delete(message.id);
  }

  published({ process, message, to, frame, atMs }: Published): void {
    if (message.type !== "question" && message.type !== "list") return;
    const bytes = frame.bytes.length;
    if (bytes > QUESTION_BYTES_MAX) this.#fail(process, `sent a question of ${String(bytes)} B`);
    if (to === undefined || (message.type === "question" && message.ask.of === "keys")) return;
    const asked = this.#asked.get(process) ?? new Map<number, Asked>();
    this.#asked.set(process, asked);
    asked.set(message.id, { to, atMs, isSuperseded: false, bytes: 0 });
    for (const [id, question] of asked) if (atMs - question.atMs >= PATIENCE_MIN_MS) asked.delete(id);
    for (const isSuperseded of [false, true]) {
      const underWay = [...asked.values()].filter((question) => question.isSuperseded === isSuperseded);
      const toPeer = underWay.filter((question) => question.to === to).length;
      if (underWay.length > QUESTIONS_MAX || toPeer > QUESTIONS_PER_PEER_MAX)
        this.#fail(
          process,
          `has ${String(underWay.length)} questions ${isSuperseded ? "asked again" : "under way"}, ${String(toPeer)} of them to ${to}`,
        );
    }
  }

  #supersede(process: Process, writer: string): void {
    for (const question of this.#asked.get(process)?.values() ?? [])
      if (question.to === writer) question.isSuperseded = true;
  }

  #fail(process: Process, text: string): never {
    throw new Violation(this.name, `${process.name} ${text}`);
  }
}
