/** `lankv service`. Nothing here touches this machine's own services: files go below a scratch directory. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, describe, it } from "node:test";
import { aloneFlags, bin, Daemon, lankv, run, scratchDirectory, type Outcome } from "./lankv.js";

const isLinux = process.platform === "linux";
/** The interpreter that Debian installs its packages for; another may come first in PATH. */
const PYTHON = "/usr/bin/python3";
const WALLS = path.resolve(import.meta.dirname, "../../../test/cli/walls.py");
const lacksVerifier = spawnSync("systemd-analyze", ["--version"]).status !== 0;
const lacksWalls = lacksVerifier
  ? "there is no systemd-analyze"
  : spawnSync(PYTHON, ["-c", "import seccomp"]).status !== 0
    ? "there is no python3-seccomp"
    : undefined;
const ODD_FLAGS = ["--name", 'pi "1"', "--cluster", "50%n$HOME\\"];

describe("the service of the system", { skip: !isLinux && "systemd is Linux's" }, () => {
  const unitBelow = (root: string): string => path.join(root, "etc/systemd/system/lankv.service");
  const scratch = scratchDirectory(after);
  let roots = 0;
  const freshRoot = (): string => {
    roots += 1;
    return path.join(scratch, `root${roots}`);
  };

  it("is written once, and not again when nothing differs", async () => {
    const root = freshRoot();
    const install = ["service", "install", "--root", root, "--", "--name", "pi1"];
    const { code, text, stderr } = await lankv(install);
    assert.equal(code, 0, stderr);
    assert.match(text, /^wrote .*lankv\.service\nwrote .*sysusers\.d\/lankv\.conf\nnothing was started: /);
    assert.match(text, new RegExp(`undo +lankv service uninstall --root ${root}\n`));
    const unit = readFileSync(unitBelow(root), "utf8");
    assert.ok(unit.includes(`\nExecStart=${process.execPath} ${bin} serve --name pi1\n`), unit);
    assert.match(readFileSync(path.join(root, "etc/sysusers.d/lankv.conf"), "utf8"), /^u lankv /m);

    assert.match((await lankv(install)).text, /lankv\.service is as it should be\n/);
    const other = await lankv(["service", "install", "--root", root, "--", "--name", "pi2"]);
    assert.match(other.text, /^wrote .*lankv\.service\n.*lankv\.conf is as it should be\n/);
    assert.match(readFileSync(unitBelow(root), "utf8"), /serve --name pi2\n/);
  });

  it("is removed, and may be gone already", async () => {
    const root = freshRoot();
    await lankv(["service", "install", "--root", root]);
    const { code, text } = await lankv(["service", "uninstall", "--root", root]);
    assert.equal(code, 0);
    assert.match(text, /removed .*lankv\.service\nremoved .*lankv\.conf\n.*userdel lankv\n$/);
    assert.ok(!existsSync(unitBelow(root)));
    const again = await lankv(["service", "uninstall", "--root", root]);
    assert.deepEqual([again.code, again.text], [0, "no service is installed\n"]);
  });

  it("leaves a unit alone that somebody else wrote", async () => {
    const root = freshRoot();
    mkdirSync(path.dirname(unitBelow(root)), { recursive: true });
    writeFileSync(unitBelow(root), "[Service]\nExecStart=/bin/true\n");
    for (const command of ["install", "uninstall"]) {
      const { code, stderr } = await lankv(["service", command, "--root", root]);
      assert.equal(code, 1);
      assert.match(stderr, /was not written by 'lankv service install'/);
    }
    assert.ok(readFileSync(unitBelow(root), "utf8").includes("/bin/true"));
  });

  it("says which command root has to run", async () => {
    // Another user by number, with this one's rights to files: what the program sees of a user without root's.
    const args = ["--user", process.execPath, bin, "service", "install", "--", "--name", "a b"];
    const { code, stderr } = await run("unshare", args);
    assert.equal(code, 1);
    assert.ok(
      stderr.includes(`sudo ${process.execPath} ${bin} service install -- --name 'a b'; or add --user`),
      stderr,
    );
  });

  it("refuses flags that serve would refuse, and those that are its own", async () => {
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [["--nmae", "x"], /--nmae is no flag/],
      [["--port", "0"], /--port.*is invalid/],
      [["word"], /word is no flag/],
      [["--socket=/x"], /--socket=\/x is the service's own/],
      [["--data-dir", "/x"], /--data-dir is the service's own/],
      [["--password-file", "secret"], /--password-file must be an absolute path/],
      [["--name", "a\nb"], /no control characters/],
    ];
    for (const [flags, message] of cases) {
      const root = freshRoot();
      const { code, stderr } = await lankv(["service", "install", "--root", root, "--", ...flags]);
      assert.equal(code, 2, stderr);
      assert.match(stderr, message);
      assert.ok(!existsSync(root));
    }
  });

  it("says so where there is no systemd", async () => {
    const { code, stderr } = await lankv(["service", "install"], { env: { PATH: scratch } });
    assert.equal(code, 1);
    assert.match(stderr, /This machine has no systemd/);
  });

  it(
    "is a unit that systemd understands, and that exposes little",
    { skip: lacksVerifier && "there is no systemd-analyze" },
    async () => {
      for (const kind of [[], ["--user"]]) {
        const unit = path.join(scratch, "lankv.service");
        const { text } = await lankv(["service", "install", "--print", ...kind, "--", ...ODD_FLAGS]);
        writeFileSync(unit, text);
        const verified = await run("systemd-analyze", ["verify", ...kind, unit], {
          env: { XDG_RUNTIME_DIR: scratch },
        });
        assert.deepEqual([verified.code, verified.stderr], [0, ""], verified.stderr);
      }
      const root = freshRoot();
      await lankv(["service", "install", "--root", root]);
      const judged = await run("systemd-analyze", [
        ...["security", "--offline=yes", "--no-pager", "--threshold=20"],
        unitBelow(root),
      ]);
      assert.equal(judged.code, 0, judged.text);
    },
  );
});

describe("a node behind the walls of the unit", { skip: lacksWalls ?? false }, () => {
  const scratch = scratchDirectory(after);

  for (const kind of ["--system", "--user"]) {
    it(`serves, saves and ends as it does without them: ${kind.slice(2)}`, async () => {
      const unit = path.join(scratch, "lankv.service");
      const user = kind === "--user" ? [kind] : [];
      writeFileSync(unit, (await lankv(["service", "install", "--print", ...user])).text);
      const socket = path.join(scratch, "walled.sock");
      const data = path.join(scratch, `data${kind}`);
      const flags = [...(await aloneFlags()).filter((flag) => flag !== "--memory"), "--data-dir", data];
      const quoted = [...flags, "--redis-port", "0"].map((flag) => `'${flag}'`).join(" ");
      const script = `
        unshare --user true 2>/dev/null && echo "there is no wall"
        export LANKV_SOCKET='${socket}'
        lankv() { '${process.execPath}' '${bin}' "$@"; }
        for round in 1 2; do
          lankv serve ${quoted} & lankv wait --timeout 20s && lankv get k --quiet
          lankv set k "from round $round" && lankv ping --quiet && lankv stop --quiet
          wait $!
          echo "ended with $?"
        done`;
      const { code, text, stderr } = await run(PYTHON, [WALLS, unit, "sh", "-c", script]);
      assert.equal(text, "ended with 0\nfrom round 1ended with 0\n", stderr);
      assert.equal(code, 0, stderr);
    });
  }
});

describe("the service of a user", { skip: !isLinux && "systemd is Linux's" }, () => {
  const scratch = scratchDirectory(after);
  const calls = path.join(scratch, "calls");
  const env = {
    PATH: `${path.join(scratch, "bin")}:${process.env["PATH"] ?? ""}`,
    XDG_CONFIG_HOME: path.join(scratch, "config"),
    XDG_RUNTIME_DIR: scratch,
  };
  const unit = path.join(scratch, "config/systemd/user/lankv.service");
  /** Stands for the user's systemd, of which there is none in a container: notes what it is asked. */
  const answer = (script: string): void => {
    const file = path.join(scratch, "bin/systemctl");
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, `#!/bin/sh\necho "$@" >> '${calls}'\n${script}\n`, { mode: 0o755 });
    writeFileSync(calls, "");
  };
  const called = (): string[] => readFileSync(calls, "utf8").trim().split("\n");
  const service = (...args: string[]): Promise<Outcome> => lankv(["service", ...args], { env });

  it("is written also where systemctl cannot be asked", async () => {
    const { code, text } = await service("install", "--user");
    assert.equal(code, 0);
    assert.match(text, /nothing was started: no systemd runs for this user/);
    assert.match(text, /start +systemctl --user enable --now lankv\n/);
    assert.match(readFileSync(unit, "utf8"), / serve\n/);
    const status = await service("status", "--user", "--json");
    assert.equal(status.code, 7);
    assert.match(status.text, /^{"installed":true,"enabled":null,"running":null,"answers":false,/);
  });

  it("is enabled and started, anew when it differs", async () => {
    mkdirSync(path.join(scratch, "systemd"));
    answer("");
    const first = await service("install", "--user", "--", "--name", "first");
    assert.equal(first.code, 0, first.stderr);
    assert.deepEqual(called(), [
      "--user daemon-reload",
      "--user enable lankv.service",
      "--user restart lankv.service",
    ]);
    assert.match(first.text, /ran systemctl --user enable lankv\.service\n/);
    answer("");
    await service("install", "--user", "--", "--name", "first");
    assert.equal(called().at(-1), "--user start lankv.service");
  });

  it("tells what systemctl said when it fails", async () => {
    answer("echo 'no such luck' >&2; exit 1");
    const { code, stderr } = await service("install", "--user");
    assert.equal(code, 1);
    assert.match(stderr, /systemctl --user daemon-reload failed: no such luck\. .*service uninstall/);
  });

  it("is well when it is installed, enabled, running, and answers", async () => {
    answer('case "$2" in is-enabled) echo enabled;; is-active) echo active;; esac');
    const silent = await service("status", "--user");
    assert.equal(silent.code, 7);
    assert.match(silent.text, /^installed +yes .*\nenabled +yes\nrunning +yes\nanswers +no +No daemon at /);
    const daemon = await Daemon.start(scratch, ["--socket", path.join(scratch, "lankv/lankv.sock")]);
    try {
      const well = await service("status", "--user");
      assert.equal(well.code, 0, well.text);
      answer('case "$2" in is-enabled) echo disabled;; is-active) echo active;; esac');
      assert.equal((await service("status", "--user")).code, 7);
    } finally {
      await daemon.end();
    }
  });

  it("is ended and removed", async () => {
    answer("");
    const { code, text } = await service("uninstall", "--user");
    assert.equal(code, 0);
    assert.deepEqual(called(), ["--user disable --now lankv.service", "--user daemon-reload"]);
    assert.match(text, /removed .*lankv\.service\n/);
    const gone = await service("status", "--user");
    assert.equal(gone.code, 7);
    assert.match(gone.text, /^installed +no .*lankv\.service, which 'lankv service install --user' writes$/m);
  });
});

describe("what a service needs of the others", () => {
  const scratch = scratchDirectory(after);

  it("is a socket for a group, when that is wanted", { skip: process.platform === "win32" }, async () => {
    const modes = [];
    for (const flags of [[], ["--socket-mode", "660"]]) {
      const daemon = await Daemon.start(scratch, flags);
      modes.push((statSync(daemon.socket).mode & 0o777).toString(8));
      await daemon.end();
    }
    assert.deepEqual(modes, ["600", "660"]);
    const { code, stderr } = await lankv(["serve", "--socket-mode", "777"]);
    assert.equal(code, 2);
    assert.match(stderr, /must be 600, 660 or 666/);
  });

  it("is a wait that begins before the daemon", async () => {
    const socket = path.join(scratch, "late.sock");
    const waiting = lankv(["-s", socket, "wait", "--timeout", "20s"]);
    const daemon = await Daemon.start(scratch, [], "late");
    const { code, stderr } = await waiting;
    await daemon.end();
    assert.equal(code, 0, stderr);
    const vain = await lankv(["-s", socket, "wait", "--timeout", "300ms"]);
    assert.equal(vain.code, 4);
  });
});
