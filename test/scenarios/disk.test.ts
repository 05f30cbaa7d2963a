import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { contentsOf } from "../sim/contents.js";
import { Disk } from "../sim/disk.js";
import { Random } from "../sim/random.js";
import { Stage } from "./stage.js";

/** The disk of a node that wrote x and is no more. */
function diskLeftBehind(stage: Stage): Disk {
  const node = stage.start("a");
  stage.pass(2_000);
  stage.write(node, "x", "1");
  const disk = new Disk(new Random(1));
  disk.save(contentsOf(node.replica), true);
  node.crash();
  return disk;
}

describe("loading", () => {
  it("goes on while the node is heard already, and only what the disk lacks is pulled then", () => {
    const stage = new Stage();
    const a = stage.start("a");
    stage.pass(2_000);
    stage.write(a, "x", "1");
    stage.write(a, "y", "2");
    const disk = new Disk(new Random(1));
    disk.save(contentsOf(a.replica), true);
    stage.write(a, "y", "3");
    stage.network.faults = { ...stage.network.faults, loadMsMax: 60_000 };
    stage.transcript();
    const b = stage.start("b", { disk, fsync: "everysec" });
    while (b.replica.map.records === 0) stage.pass(10);
    stage.write(a, "z", "4");
    stage.pass(10);
    assert.ok(b.replica.isLoading);
    assert.equal(a.replica.presence.linked[0]?.vitals.state, "seeking");
    assert.equal(b.replica.get("z")?.value, "4", "what is written meanwhile comes with the stream");
    assert.deepEqual(
      stage.transcript().filter((line) => line.startsWith("b")),
      ["b: seeking", "b: a is up"],
      "nothing is asked",
    );
    while (!b.replica.isSettled) stage.pass(10);
    assert.deepEqual(
      stage.transcript().filter((line) => /question|answer/.test(line)),
      ["a -> b: list_answer 1 groups", "b -> a: question buckets", "a -> b: answer y"],
    );
    assert.equal(b.replica.get("y")?.value, "3");
  });

  it("is no time at which a peer is synced, for it knows nothing yet of what it lacks", () => {
    const stage = new Stage();
    const disk = diskLeftBehind(stage);
    stage.network.faults = { ...stage.network.faults, loadMsMax: 60_000 };
    const b = stage.start("b", { disk, fsync: "everysec" });
    const c = stage.start("c");
    while (!c.replica.isSettled) stage.pass(10);
    assert.ok(b.replica.isLoading);
    while (b.replica.isLoading) {
      assert.ok(!c.replica.isSynced || c.replica.get("x") !== undefined);
      stage.pass(10);
    }
    while (!c.replica.isSynced) stage.pass(10);
    assert.equal(c.replica.get("x")?.value, "1");
  });

  it("makes a peer a source that is not enough: who compares with it does so with one that comes meanwhile, too", () => {
    const stage = new Stage();
    const a = stage.start("a");
    stage.pass(2_000);
    stage.write(a, "x", "1");
    const disk = new Disk(new Random(1));
    disk.save(contentsOf(a.replica), true);
    stage.write(a, "y", "2");
    const records = contentsOf(a.replica);
    stage.write(a, "z", "3");
    stage.network.faults = { ...stage.network.faults, loadMsMax: 60_000 };
    const b = stage.start("b", { disk, fsync: "everysec" });
    const c = stage.start("c", { records });
    stage.cut(a, b);
    stage.cut(a, c);
    while (!stage.transcript().includes("c -> b: list")) stage.pass(1);
    // What b answers is lost, and asked for again after a second; a is there by then.
    stage.cut(b, c);
    stage.mend(a, c);
    while (!c.replica.presence.linked.some(({ writer }) => writer === a.replica.self.writer)) stage.pass(1);
    stage.mend(b, c);
    while (!c.replica.isSettled) stage.pass(1);
    assert.ok(b.replica.isLoading);
    assert.deepEqual(
      stage.transcript().filter((line) => /^c|^a -> c/.test(line)),
      [
        "c: a is up",
        "c -> a: list",
        "a -> c: list_answer 1 groups",
        "c -> a: question buckets",
        "a -> c: answer z",
        "c: live",
      ],
    );
    assert.equal(c.replica.get("z")?.value, "3");
  });

  it("has a peer that was compared with meanwhile compared with again as soon as it is over", () => {
    const stage = new Stage();
    const disk = diskLeftBehind(stage);
    const c = stage.start("c");
    stage.network.faults = { ...stage.network.faults, loadMsMax: 6_000 };
    const b = stage.start("b", { disk, fsync: "everysec" });
    stage.write(c, "y", "2");
    while (!c.replica.isSettled) stage.pass(10);
    while (b.replica.isLoading) stage.pass(1);
    stage.pass(50);
    assert.equal(c.replica.get("x")?.value, "1");
  });

  it("reports no conflict between what is on the disk, and one with what came meanwhile", () => {
    const stage = new Stage();
    const [a, b] = [stage.start("a"), stage.start("b")];
    stage.pass(2_000);
    stage.cut(a, b);
    for (const key of ["x", "y"]) {
      stage.write(a, key, "of a");
      stage.write(b, key, "of b");
    }
    const disk = new Disk(new Random(1));
    disk.save(contentsOf(a.replica), true);
    disk.save(
      contentsOf(b.replica).filter(({ key }) => key === "x"),
      true,
    );
    a.crash();
    stage.network.faults = { ...stage.network.faults, loadMsMax: 60_000 };
    const c = stage.start("c", { disk, fsync: "everysec" });
    stage.pass(50);
    stage.write(b, "y", "again");
    stage.pass(50);
    assert.equal(c.replica.map.records, 1, "nothing is loaded yet");
    stage.transcript();
    while (c.replica.isLoading) stage.pass(10);
    assert.deepEqual(
      stage.transcript().filter((line) => line.startsWith("c: conflict")),
      ["c: conflict over y"],
    );
  });

  it("lets a peer's wait for a missing key go on until it is done", () => {
    const stage = new Stage();
    const disk = diskLeftBehind(stage);
    const b = stage.start("b");
    stage.network.faults = { ...stage.network.faults, loadMsMax: 60_000 };
    const c = stage.start("c", { disk, fsync: "everysec" });
    stage.pass(50);
    b.seek("x", 60_000);
    stage.pass(100);
    assert.ok(stage.transcript().includes("c -> b: answer nothing"));
    while (c.replica.isLoading) stage.pass(10);
    stage.pass(3_000);
    assert.equal(b.replica.get("x")?.value, "1");
  });
});

describe("receipts of a node that syncs always", () => {
  it("are given when what they speak of is durable, and the newest of many that were asked for with the next sync", () => {
    const stage = new Stage();
    const a = stage.start("a");
    const disk = new Disk(new Random(1));
    const b = stage.start("b", { disk, fsync: "always" });
    stage.pass(3_000);
    stage.network.faults = { ...stage.network.faults, syncMsMax: 60_000 };
    stage.transcript();
    stage.write(a, "x", "1");
    a.confirm(600_000);
    stage.pass(10);
    stage.write(a, "y", "2");
    a.confirm(600_000);
    stage.pass(500);
    assert.equal(b.replica.get("y")?.value, "2");
    const said = stage.transcript();
    assert.ok(said.filter((line) => line === "a -> b: confirm 2").length > 3, "a asks again and again");
    assert.ok(!said.some((line) => line.startsWith("b -> a: receipt")));
    const receipts: string[] = [];
    for (const end = stage.nowMs + 200_000; receipts.length < 2 && stage.nowMs < end; stage.pass(1)) {
      const given = stage.transcript().filter((line) => line.startsWith("b -> a: receipt"));
      receipts.push(...given);
      if (given.length > 0)
        for (const record of contentsOf(a.replica).slice(0, receipts.length))
          assert.ok(disk.isDurable(record));
    }
    assert.deepEqual(receipts, ["b -> a: receipt 1", "b -> a: receipt 2"]);
  });

  it("wait for a sync of what was loaded, which a process that was killed may only have saved", () => {
    const stage = new Stage();
    const a = stage.start("a");
    stage.pass(2_000);
    stage.write(a, "x", "1");
    const disk = new Disk(new Random(1));
    disk.save(contentsOf(a.replica), false);
    disk.isFailing = true;
    stage.start("b", { disk, fsync: "always" });
    a.confirm(60_000);
    stage.pass(5_000);
    assert.ok(!stage.transcript().some((line) => line.startsWith("b -> a: receipt")));
    disk.isFailing = false;
    stage.pass(5_000);
    assert.ok(stage.transcript().includes("b -> a: receipt 1"));
    assert.ok(contentsOf(a.replica).every((record) => disk.isDurable(record)));
  });

  it("are void when a step of saving fails, and given after a later one", () => {
    const stage = new Stage();
    const a = stage.start("a");
    const disk = new Disk(new Random(1));
    stage.start("b", { disk, fsync: "always" });
    stage.pass(3_000);
    disk.isFull = true;
    stage.write(a, "x", "1");
    a.confirm(60_000);
    stage.pass(5_000);
    assert.ok(!stage.transcript().some((line) => line.startsWith("b -> a: receipt")));
    disk.isFull = false;
    stage.pass(1_500);
    assert.ok(stage.transcript().includes("b -> a: receipt 1"));
    assert.ok(contentsOf(a.replica).every((record) => disk.isDurable(record)));
  });
});
