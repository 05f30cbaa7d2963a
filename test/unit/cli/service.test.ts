import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import { launchd } from "../../../src/cli/launchd.js";
import { whyHidden } from "../../../src/cli/service.js";
import { toWord } from "../../../src/cli/systemd.js";

const plan = {
  ...{ isUsers: false, node: "/usr/bin/node", script: "/opt/a & b/bin/lankv.js", flags: ["--name", "<pi>"] },
  ...{ sudo: "sudo node lankv.js", env: { SUDO_USER: "alice" }, root: "" },
};

describe("a word of a unit", () => {
  it("means what it says", () => {
    assert.equal(toWord("/usr/bin/node"), "/usr/bin/node");
    assert.equal(toWord("a b"), '"a b"');
    assert.equal(toWord('50%$x"\\'), '"50%%$$x\\"\\\\"');
    assert.equal(toWord(""), '""');
  });
});

describe("what the sandbox hides", () => {
  it("is in homes and temporary directories", () => {
    for (const file of ["/home/pi/.nvm/bin/node", "/root/node", "/tmp/x", "/var/tmp/x", "/run/user/7/x"])
      assert.match(whyHidden(file) ?? "", /its sandbox hides/);
    assert.equal(whyHidden("/bin/sh"), undefined);
  });
});

describe("the property list of launchd", () => {
  it("says what is run, and as whom", () => {
    const [{ path: file, text }] = launchd(plan).files;
    assert.equal(file, "/Library/LaunchDaemons/lankv.plist");
    assert.match(text, /<string>\/opt\/a &amp; b\/bin\/lankv\.js<\/string>\n *<string>serve<\/string>/);
    assert.match(text, /<string>&lt;pi&gt;<\/string>/);
    assert.match(text, /<key>UserName<\/key>\s*<string>alice<\/string>/);
    assert.doesNotMatch(launchd({ ...plan, isUsers: true }).files[0].text, /UserName/);
  });

  for (const isUsers of [false, true]) {
    it(
      `is read as what it means by another parser, ${isUsers ? "the user's" : "the machine's"}`,
      { skip: spawnSync("python3", ["-V"]).status !== 0 && "there is no python3" },
      () => {
        const [{ text }] = launchd({ ...plan, isUsers }).files;
        const read = "import plistlib, sys, json; print(json.dumps(plistlib.loads(sys.stdin.buffer.read())))";
        const { stdout, stderr } = spawnSync("python3", ["-c", read], { input: text, encoding: "utf8" });
        assert.equal(stderr, "");
        const { StandardErrorPath: log, ...rest } = toObject(JSON.parse(stdout));
        assert.match(String(log), isUsers ? /\/Library\/Logs\/lankv\.log$/ : /^\/var\/log\/lankv\.log$/);
        assert.deepEqual(rest, {
          Label: "lankv",
          ProgramArguments: [plan.node, plan.script, "serve", ...plan.flags],
          ...(isUsers ? {} : { UserName: "alice" }),
          ...{ RunAtLoad: true, KeepAlive: { SuccessfulExit: false } },
          ...{ SoftResourceLimits: { NumberOfFiles: 65_536 }, Umask: 0o077 },
        });
      },
    );
  }
});

function toObject(value: unknown): Readonly<Record<string, unknown>> {
  assert(typeof value === "object" && value !== null);
  return { ...value };
}
