/** `lankv doctor` on the loopback interface: the machine, the program, the data directory. Networks are in test/lan. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, describe, it } from "node:test";
import { CHECKS } from "../../src/cli/doctor/finding.js";
import { writeAbout } from "../../src/node/about.js";
import { objectsFrom } from "./json.js";
import { aloneFlags, Daemon, lankv, scratchDirectory } from "./lankv.js";

const directory = scratchDirectory(after);
const own = [
  "--interface",
  "lo",
  "--redis-port",
  "0",
  "--timeout",
  "100ms",
  "-s",
  path.join(directory, "no.sock"),
];

async function examine(flags: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const apart = flags.includes("--beacon-port") ? [] : (await port()).beaconFlags;
  const { code, text, stderr } = await lankv(["doctor", "--json", ...own, ...apart, ...flags], { env });
  assert(code === 0 || code === 7, `exit code ${String(code)}\n${stderr}`);
  const findings = objectsFrom(text);
  return (check: string) => findings.find((finding) => finding["check"] === check);
}

async function port(): Promise<{ readonly beaconFlags: readonly string[] }> {
  const flags = await aloneFlags();
  const at = flags.indexOf("--beacon-port");
  return { beaconFlags: flags.slice(at, at + 2) };
}

/** Has Node.js run this before everything else. */
function preload(name: string, source: string): Readonly<Record<string, string>> {
  const file = path.join(directory, `${name}.mjs`);
  writeFileSync(file, source);
  return { NODE_OPTIONS: `--import=${file}` };
}

const withoutZeromq = `
  import { register } from "node:module";
  const hooks = 'export async function resolve(name, context, next) {' +
    'if (name === "zeromq") throw new Error("No native build was found"); return next(name, context); }';
  register("data:text/javascript," + encodeURIComponent(hooks));`;

describe("doctor --json", () => {
  it("is an array of findings, each with a check that is known and a mend unless it is ok", async () => {
    const { beaconFlags } = await port();
    const { code, text } = await lankv(["doctor", "--json", ...own, ...beaconFlags, "--memory"]);
    const findings = objectsFrom(text);
    assert(findings.length > 5);
    for (const finding of findings) {
      assert.deepEqual(Object.keys(finding), ["check", "status", "finding", "mend"]);
      assert(CHECKS.some((check) => check === finding["check"]));
      assert(["ok", "warn", "fail"].includes(String(finding["status"])));
      assert.equal(finding["mend"] === null, finding["status"] === "ok");
    }
    // Nobody else is there.
    assert.equal(code, 7);
    assert.deepEqual(
      findings.filter(({ status }) => status === "fail").map(({ check }) => check),
      ["peers"],
    );
  });

  it("refuses what serve would refuse", async () => {
    for (const flags of [
      ["--peer", "a:b:c"],
      ["--cluster", "x".repeat(65)],
      ["--beacon-port", "0"],
    ]) {
      const { code, stderr } = await lankv(["doctor", ...own, ...flags]);
      assert.equal(code, 2, stderr);
    }
  });
});

describe("the program", () => {
  it("says that ZeroMQ does not load, and examines the rest", async () => {
    const check = await examine(["--memory"], preload("without-zeromq", withoutZeromq));
    assert.equal(check("zeromq")?.["status"], "fail");
    assert.match(String(check("zeromq")?.["finding"]), /does not load on \w+ \w+: No native build was found/);
    assert.equal(check("udp")?.["status"], "ok");
  });

  it("says on 32-bit ARM that no node can run there", async () => {
    const arm = 'Object.defineProperty(process, "arch", { value: "arm" });';
    const check = await examine(["--memory"], preload("arm", withoutZeromq + arm));
    assert.equal(check("zeromq")?.["status"], "fail");
    assert.match(String(check("zeromq")?.["finding"]), /32-bit ARM/);
    assert.match(String(check("zeromq")?.["mend"]), /64-bit/);
  });

  it("says that Node.js is too old", async () => {
    const old =
      'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "18.20.4" } });';
    const check = await examine(["--memory"], preload("old", old));
    assert.equal(check("node")?.["status"], "fail");
    assert.match(String(check("node")?.["finding"]), /18\.20\.4 is too old/);
    assert.equal(check("udp"), undefined, "what may not load is left out");
  });
});

describe("the daemon", () => {
  it("is found out when it does not answer", async () => {
    const daemon = await Daemon.start(directory, [], "stopped");
    try {
      daemon.signal("SIGSTOP");
      const check = await examine(["-s", daemon.socket, "--memory"]);
      assert.equal(check("daemon")?.["status"], "fail");
      assert.match(String(check("daemon")?.["finding"]), /^No reply from the daemon for 5000 ms\.$/);
      assert.equal(check("udp")?.["status"], "ok", "the rest is examined without it");
    } finally {
      await daemon.end("SIGKILL");
    }
  });

  it("may be elsewhere, where it is not examined", async () => {
    const check = await examine(["--url", "redis://192.0.2.1:7379", "--memory"]);
    assert.equal(check("daemon")?.["status"], "warn");
    assert.match(String(check("daemon")?.["mend"]), /Run 'lankv doctor' there/);
  });
});

describe("the data directory", () => {
  it("may be missing, and is not made", async () => {
    const missing = path.join(directory, "a", "b");
    const check = await examine(["--data-dir", missing]);
    assert.equal(check("data")?.["status"], "ok");
    const again = await examine(["--data-dir", missing]);
    assert.match(String(again("data")?.["finding"]), /is made when a node starts/);
  });

  it("may not be a file, nor below one, nor have too long a path", async () => {
    const file = path.join(directory, "file");
    writeFileSync(file, "");
    for (const [bad, reason] of [
      [file, /not a directory/],
      [path.join(file, "below"), /not a directory/],
      [path.join(directory, "x".repeat(100)), /too long/],
    ] as const) {
      const check = await examine(["--data-dir", bad]);
      assert.equal(check("data")?.["status"], "fail");
      assert.match(String(check("data")?.["finding"]), reason);
    }
  });

  it("tells of damaged files that were set aside", async () => {
    const damaged = path.join(directory, "damaged");
    mkdirSync(path.join(damaged, "log"), { recursive: true });
    writeFileSync(path.join(damaged, "log", "00000001.log.damaged-2026-01-02"), "");
    const check = await examine(["--data-dir", damaged]);
    assert.equal(check("data")?.["status"], "warn");
    assert.match(String(check("data")?.["finding"]), /00000001\.log\.damaged-2026-01-02/);
  });

  it("must not hold keys of another cluster", async () => {
    const workshop = path.join(directory, "workshop");
    mkdirSync(workshop);
    await writeAbout(workshop, "about.json", "workshop");
    const check = await examine(["--data-dir", workshop]);
    assert.equal(check("data")?.["status"], "ok");
    const { text } = await lankv(["doctor", ...own, ...(await port()).beaconFlags, "--data-dir", workshop]);
    assert.match(text, /^fail {2}data .*keys of the cluster "workshop", and not of "default"/m);
    const same = await lankv([
      "doctor",
      "--cluster",
      "workshop",
      ...own,
      ...(await port()).beaconFlags,
      "--data-dir",
      workshop,
    ]);
    assert.doesNotMatch(same.text, /^fail {2}data/m);
  });

  it("is another process's, or that of the daemon that is asked", async () => {
    const dataDir = path.join(directory, "data");
    const { beaconFlags } = await port();
    const daemon = await Daemon.start(directory, [
      "--interface",
      "lo",
      "--data-dir",
      dataDir,
      ...beaconFlags,
    ]);
    try {
      const check = await examine(["--data-dir", dataDir, ...beaconFlags]);
      assert.equal(check("daemon")?.["status"], "warn");
      assert.equal(check("data")?.["status"], "warn");
      assert.match(String(check("data")?.["finding"]), /Another lankv process uses/);
      const asked = await examine(["-s", daemon.socket, ...beaconFlags]);
      assert.equal(asked("daemon")?.["status"], "ok");
      assert.match(String(asked("data")?.["finding"]), new RegExp(`^${dataDir}, `));
      const elsewhere = await examine(["-s", daemon.socket]);
      assert.match(String(elsewhere("daemon")?.["finding"]), /and not on \d+\.$/);
    } finally {
      await daemon.end();
    }
  });
});
