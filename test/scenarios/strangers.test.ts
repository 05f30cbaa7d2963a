/** One replica among peers that this test plays: they say what no honest one would, or say nothing. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Effect, Input } from "../../src/core/effect.js";
import type { Beacon, ListMessage, Message, State, Vitals } from "../../src/core/message.js";
import type { KvRecord } from "../../src/core/record.js";
import { Replica } from "../../src/core/replica.js";

const EMPTY_ROOT = "0000000000000000";

/** A replica, its clock, and everything that it wanted done. */
class Table {
  readonly replica: Replica;
  #monoMs = 1_000;
  /** Everything that it wanted done, so far, and how much of that was answered for. */
  readonly effects: Effect[] = [];
  #answered = 0;

  constructor({ online, loading }: { online: boolean; loading: boolean } = { online: true, loading: false }) {
    const identity = { nodeId: "00000000000000aa", writer: "00000000000000aa", name: "own", cluster: 1 };
    const place = { port: 1, advertise: "", software: "0" };
    this.replica = new Replica({ ...identity, ...place, random: () => 0.5 });
    this.step({ type: "start", online, loading });
  }

  get now(): { monoMs: number; wallMs: number } {
    return { monoMs: this.#monoMs, wallMs: 1_700_000_000_000 + this.#monoMs };
  }

  step(input: Input): readonly Effect[] {
    const effects = this.replica.step(input, this.now);
    this.effects.push(...effects);
    return effects;
  }

  /** Lets time pass, and calls on each second's beat. */
  pass(ms: number, beat: () => void = () => undefined): void {
    const untilMs = this.#monoMs + ms;
    while (this.#monoMs < untilMs) {
      this.#monoMs += 50;
      if (this.#monoMs % 1_000 === 0) beat();
      this.step({ type: "wake" });
    }
  }

  /** Answers for a peer that has nothing. */
  answerNothing(from: string, { type, ...rest }: Message): void {
    const id = "id" in rest ? rest.id : 0;
    const part = { from, id, part: 0, last: true } as const;
    if (type === "list") this.hear({ type: "list_answer", ...part, groups: [] });
    else if (type === "question")
      this.hear({ type: "answer", ...part, next: undefined, tail: 1, omits: false, records: [] });
  }

  /** The same for all peers, until they are asked nothing more. */
  answerAll(): void {
    for (; this.#answered < this.effects.length; this.#answered += 1) {
      const effect = this.effects[this.#answered];
      if (effect?.type === "publish" && effect.to !== undefined)
        this.answerNothing(effect.to, effect.message);
    }
  }

  hear(message: Message): readonly Effect[] {
    return this.step({ type: "message", message });
  }
}

/** A peer that the test plays. */
class Played {
  state: State = "live";

  constructor(
    private readonly table: Table,
    readonly writer: string,
    private readonly told: { readonly root: string; readonly keys: number; readonly head?: number },
  ) {}

  get vitals(): Vitals {
    const { root, keys, head = 0 } = this.told;
    const { wallMs } = this.table.now;
    return { nodeId: this.writer, writer: this.writer, wallMs, head, root, keys, state: this.state };
  }

  beacon(other: Partial<Beacon> = {}): Beacon {
    const place = { cluster: 1, name: "played", port: 2, advertise: "", software: "0" };
    return { ...this.vitals, ...place, hello: false, goodbye: false, ...other };
  }

  /** Comes up, subscribes, and ticks. */
  link(from: string): void {
    this.table.step({ type: "beacon", beacon: this.beacon(), from });
    this.subscribe();
    this.tick();
  }

  subscribe(): void {
    this.table.step({ type: "subscription", writer: this.writer, present: true });
  }

  tick(): void {
    this.table.hear({ type: "tick", from: this.writer, vitals: this.vitals });
  }
}

function recordOf(writer: string, key: string): KvRecord {
  return { stamp: 1, writer, key, kind: "value", value: "v", expiresAtMs: undefined, replaces: [] };
}

function asked(effects: readonly Effect[], of: Message["type"], to: string): boolean {
  return effects.some(
    (effect) => effect.type === "publish" && effect.to === to && effect.message.type === of,
  );
}

function listsTo({ effects }: Table, peer?: Played): readonly ListMessage[] {
  return effects.flatMap((effect) =>
    effect.type === "publish" &&
    effect.message.type === "list" &&
    (peer === undefined || effect.to === peer.writer)
      ? [effect.message]
      : [],
  );
}

describe("a peer that ticks but never answers", () => {
  it("does not keep a node from asking the others", () => {
    const table = new Table();
    const silent = new Played(table, "00000000000000b1", { root: "1111111111111111", keys: 1_000_000 });
    const honest = new Played(table, "00000000000000b2", { root: "2222222222222222", keys: 5 });
    silent.link("10.0.0.1");
    honest.link("10.0.0.2");
    const beat = (): void => {
      silent.tick();
      honest.tick();
    };
    table.pass(30_000, beat);
    assert.ok(asked(table.effects, "question", silent.writer), "the one that claims most is asked first");
    assert.ok(asked(table.effects, "question", honest.writer));
  });
});

describe("a peer that did not answer for a while", () => {
  it("is compared with again, and gets its receipts", () => {
    const table = new Table();
    const slow = new Played(table, "00000000000000b1", { root: "1111111111111111", keys: 1, head: 5 });
    const other = new Played(table, "00000000000000b2", { root: EMPTY_ROOT, keys: 0 });
    slow.link("10.0.0.1");
    other.link("10.0.0.2");
    let isAnswering = false;
    let seen = 0;
    const answer = (): void => {
      for (const effect of table.effects.slice(seen)) {
        seen += 1;
        if (effect.type !== "publish" || effect.to === undefined) continue;
        if (effect.to === other.writer || isAnswering) table.answerNothing(effect.to, effect.message);
      }
    };
    const beat = (): void => {
      slow.tick();
      other.tick();
      table.hear({ type: "confirm", from: slow.writer, head: 5 });
      answer();
    };
    table.pass(20_000, beat);
    assert.equal(table.replica.presence.peers.get(slow.writer)?.isResponsive, false);
    isAnswering = true;
    table.pass(40_000, beat);
    assert.ok(asked(table.effects, "receipt", slow.writer));
  });
});

describe("a peer whose subscription outlived its connection", () => {
  /** A table at which the peer, whose subscription is known from before a cut, has been asked for its sums. */
  function asking(): { table: Table; peer: Played } {
    const table = new Table();
    const peer = new Played(table, "00000000000000b1", { root: "1111111111111111", keys: 1 });
    peer.subscribe();
    table.pass(2_000);
    table.step({ type: "beacon", beacon: peer.beacon(), from: "10.0.0.1" });
    table.pass(500);
    peer.tick();
    table.pass(100);
    assert.equal(listsTo(table).length, 1, "it is taken to be linked");
    return { table, peer };
  }

  it("is asked again as soon as its next connection is there", () => {
    const { table, peer } = asking();
    peer.subscribe();
    assert.equal(listsTo(table).length, 2);
    assert.equal(table.replica.presence.peers.get(peer.writer)?.lost, 0, "that is not the peer's fault");
  });

  it("is asked again after a later cut, too", () => {
    const { table, peer } = asking();
    peer.subscribe();
    const answered = listsTo(table).length;
    for (const list of listsTo(table).slice(-1)) table.answerNothing(peer.writer, list);
    table.pass(20_000, () => {
      peer.tick();
    });
    assert.ok(listsTo(table).length > answered, "it is compared with once more");
    table.pass(100);
    const before = listsTo(table).length;
    peer.subscribe();
    assert.equal(listsTo(table).length, before + 1);
  });

  it("is not asked again and again because somebody subscribes in its name", () => {
    const { table, peer } = asking();
    for (let i = 0; i < 10; i += 1) {
      peer.subscribe();
      table.pass(50);
    }
    assert.equal(listsTo(table).length, 2);
  });

  for (const [partMs, everyMs] of [
    [300, 1_100],
    [600, 2_000],
  ] as const) {
    it(`is not asked again while it answers, a part in ${String(partMs)} ms, though somebody subscribes every ${String(everyMs)} ms`, () => {
      const { table, peer } = asking();
      const waiting: { id: number; part: number }[] = [];
      let sent = 0;
      const asked = new Set<number>();
      for (let ms = 0; ms < 60_000; ms += 50) {
        for (const { id } of listsTo(table)) {
          if (asked.has(id)) continue;
          asked.add(id);
          waiting.push(...[0, 1, 2, 3, 4].map((part) => ({ id, part })));
        }
        if (ms % everyMs === 0) peer.subscribe();
        if (ms % 1_000 === 0) peer.tick();
        const next = ms % partMs === 0 ? waiting.shift() : undefined;
        if (next !== undefined) {
          sent += 1;
          const { id, part } = next;
          table.hear({ type: "list_answer", from: peer.writer, id, part, last: part === 4, groups: [] });
        }
        table.pass(50);
      }
      assert.ok(waiting.length <= 10, `${String(waiting.length)} parts wait, ${String(sent)} were sent`);
    });
  }
});

describe("a peer that differs", () => {
  const OTHER = { root: "1111111111111111", keys: 1 };

  /** Answers what the peer was asked last. */
  function answer(table: Table, peer: Played): void {
    for (const list of listsTo(table, peer).slice(-1)) table.answerNothing(peer.writer, list);
  }

  for (const state of ["seeking", "pulling"] as const) {
    it(`is compared with once more, at once, when it was ${state} as it was asked and live before it had answered`, () => {
      const table = new Table();
      const peer = new Played(table, "00000000000000b1", OTHER);
      table.replica.write("k", "mine", undefined, table.now.wallMs);
      peer.state = state;
      peer.link("10.0.0.1");
      assert.equal(listsTo(table, peer).length, 1);
      peer.state = "live";
      peer.tick();
      answer(table, peer);
      assert.equal(listsTo(table, peer).length, 2);
      answer(table, peer);
      peer.tick();
      assert.equal(listsTo(table, peer).length, 2, "that is enough");
    });
  }

  it("is compared with after all when the link to it was lost as that had begun", () => {
    const table = new Table();
    const peer = new Played(table, "00000000000000b1", OTHER);
    table.pass(2_000);
    peer.link("10.0.0.1");
    assert.equal(listsTo(table, peer).length, 1);
    table.step({ type: "subscription", writer: peer.writer, present: false });
    peer.subscribe();
    assert.equal(listsTo(table, peer).length, 2);
  });

  it("is not kept waiting by rounds with others that were new", () => {
    const table = new Table();
    const [peer, another] = ["b1", "b2"].map((end) => new Played(table, `00000000000000${end}`, OTHER));
    assert.ok(peer !== undefined && another !== undefined);
    table.replica.write("k", "mine", undefined, table.now.wallMs);
    peer.link("10.0.0.1");
    answer(table, peer);
    table.pass(2_000, () => {
      peer.tick();
    });
    another.link("10.0.0.2");
    answer(table, another);
    assert.equal(listsTo(table, another).length, 1);
    peer.tick();
    assert.equal(listsTo(table, peer).length, 2);
  });

  for (const holds of ["something", "nothing"]) {
    it(`is compared with at once when it is new, however many are, by a node that holds ${holds}`, () => {
      const table = new Table();
      if (holds === "something") table.replica.write("k", "mine", undefined, table.now.wallMs);
      const peers = [1, 2, 3, 4].map(
        (number) => new Played(table, `00000000000000b${String(number)}`, OTHER),
      );
      for (const [number, peer] of peers.entries()) {
        peer.state = "pulling";
        table.step({ type: "beacon", beacon: peer.beacon(), from: `10.0.0.${String(number + 1)}` });
      }
      for (const [number, peer] of peers.entries()) peer.link(`10.0.0.${String(number + 1)}`);
      table.answerAll();
      for (const peer of peers) {
        peer.state = "live";
        peer.tick();
      }
      table.answerAll();
      for (const peer of peers)
        assert.ok(listsTo(table, peer).length > 0, `${peer.writer} was compared with`);
    });
  }
});

describe("a goodbye", () => {
  it("waits for what the peer had sent before it", () => {
    const table = new Table();
    const peer = new Played(table, "00000000000000b1", { root: EMPTY_ROOT, keys: 0 });
    peer.link("10.0.0.1");
    table.step({ type: "beacon", beacon: peer.beacon({ goodbye: true, head: 1 }), from: "10.0.0.1" });
    assert.equal(table.replica.presence.peers.size, 1);
    table.hear({ type: "set", from: peer.writer, seq: 1, records: [recordOf(peer.writer, "last")] });
    table.step({ type: "wake" });
    assert.equal(table.replica.get("last")?.value, "v");
    assert.equal(table.replica.presence.peers.size, 0);
  });

  for (const type of ["confirm", "tick"] as const) {
    it(`waits though a ${type} that was sent before it comes later`, () => {
      const table = new Table();
      const peer = new Played(table, "00000000000000b1", { root: "1111111111111111", keys: 0, head: 1 });
      peer.link("10.0.0.1");
      table.step({ type: "beacon", beacon: peer.beacon({ goodbye: true, head: 3 }), from: "10.0.0.1" });
      table.hear({ type: "set", from: peer.writer, seq: 2, records: [recordOf(peer.writer, "two")] });
      if (type === "tick") peer.tick();
      else table.hear({ type, from: peer.writer, head: 2 });
      table.step({ type: "wake" });
      table.hear({ type: "set", from: peer.writer, seq: 3, records: [recordOf(peer.writer, "three")] });
      assert.equal(table.replica.get("three")?.value, "v");
      table.step({ type: "wake" });
      assert.equal(table.replica.presence.peers.size, 0);
    });
  }

  it("waits half a second of silence for what was lost", () => {
    const table = new Table();
    const peer = new Played(table, "00000000000000b1", { root: EMPTY_ROOT, keys: 0 });
    peer.link("10.0.0.1");
    table.step({ type: "beacon", beacon: peer.beacon({ goodbye: true, head: 1 }), from: "10.0.0.1" });
    table.pass(600);
    assert.equal(table.replica.presence.peers.size, 0);
  });

  it("from an address that the peer was never heard from is ignored", () => {
    const table = new Table();
    const peer = new Played(table, "00000000000000b1", { root: EMPTY_ROOT, keys: 0 });
    peer.link("10.0.0.1");
    table.step({ type: "beacon", beacon: peer.beacon({ goodbye: true }), from: "10.0.0.66" });
    assert.equal(table.replica.presence.peers.size, 1);
  });
});

describe("a beacon that claims the address of a peer that talks", () => {
  it("takes nothing from it", () => {
    const table = new Table();
    const peer = new Played(table, "00000000000000b1", { root: EMPTY_ROOT, keys: 0 });
    peer.link("10.0.0.1");
    const thief = new Played(table, "00000000000000b2", { root: EMPTY_ROOT, keys: 0 });
    const effects = table.step({
      type: "beacon",
      beacon: thief.beacon({ advertise: "10.0.0.1" }),
      from: "10.0.0.66",
    });
    assert.deepEqual([...table.replica.presence.peers.keys()], [peer.writer]);
    assert.ok(!effects.some((effect) => effect.type === "disconnect"));
  });
});

describe("an answer for keys that its budget cut short", () => {
  it("is asked for again from where it ended", () => {
    const table = new Table();
    const peer = new Played(table, "00000000000000b1", { root: EMPTY_ROOT, keys: 0 });
    peer.link("10.0.0.1");
    table.pass(3_000, () => {
      peer.tick();
    });
    const untilMs = table.now.monoMs + 60_000;
    const effects = ["one", "two"].flatMap((key) => table.step({ type: "seek", key, untilMs }));
    const [first] = questionsIn(effects);
    assert.deepEqual(first?.keys, ["one"]);
    const part = { part: 0, last: true, tail: 1, omits: false, records: [] } as const;
    const answer = { type: "answer", from: peer.writer, ...part } as const;
    const [second] = questionsIn(table.hear({ ...answer, id: first.id, next: undefined }));
    assert.deepEqual(second?.keys, ["two"]);
    const [third] = questionsIn(table.hear({ ...answer, id: second.id, next: 0 }));
    assert.deepEqual(third?.keys, ["two"], "the peer had not come to it");
  });
});

function questionsIn(effects: readonly Effect[]): { id: number; keys: readonly string[] }[] {
  return effects.flatMap((effect) => {
    if (effect.type !== "publish" || effect.message.type !== "question") return [];
    const { id, ask } = effect.message;
    return ask.of === "keys" ? [{ id, keys: ask.keys }] : [];
  });
}

describe("a node without a network", () => {
  it("tells others on its host at once that it has loaded", () => {
    const table = new Table({ online: false, loading: true });
    new Played(table, "00000000000000b1", { root: EMPTY_ROOT, keys: 0 }).link("127.0.0.1");
    const [tick] = table.step({ type: "loaded" });
    assert.ok(tick?.type === "publish" && tick.message.type === "tick");
    assert.equal(tick.message.vitals.state, "offline");
  });
});

describe("a large answer over a slow wire", () => {
  it("is not cut off by a fresh connection", () => {
    const table = new Table();
    const peer = new Played(table, "00000000000000b1", { root: "1111111111111111", keys: 1 });
    peer.link("10.0.0.1");
    // Its beacons come; its answer takes six seconds.
    const beat = (): void => {
      table.step({ type: "beacon", beacon: peer.beacon(), from: "10.0.0.1" });
    };
    table.pass(6_000, beat);
    assert.ok(!table.effects.some((effect) => effect.type === "disconnect"));
  });
});

describe("a loss that is delivered again", () => {
  it("is one conflict", () => {
    const table = new Table();
    const peer = new Played(table, "00000000000000b1", { root: EMPTY_ROOT, keys: 0 });
    peer.link("10.0.0.1");
    table.replica.write("k", "mine", undefined, table.now.wallMs);
    for (let seq = 1; seq <= 3; seq += 1) {
      table.hear({ type: "set", from: peer.writer, seq, records: [recordOf(peer.writer, "k")] });
    }
    assert.equal(table.replica.conflicts.count, 1);
  });
});
