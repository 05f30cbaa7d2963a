/** A daemon with a password: TCP clients must give it, and the unix socket needs none. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, describe, it } from "node:test";
import { aloneFlags, Daemon, freePort, lankv, scratchDirectory, type Outcome } from "./lankv.js";

const directory = scratchDirectory(after);

function passwordFile(name: string, text: string, mode = 0o600): string {
  const file = path.join(directory, name);
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
}

async function refused(file: string): Promise<Outcome> {
  const flags = [
    "--socket",
    path.join(directory, "refused.sock"),
    "--redis-port",
    "0",
    ...(await aloneFlags()),
  ];
  return lankv(["serve", ...flags, "--password-file", file]);
}

describe("a password", () => {
  it("is asked of TCP clients, on any address, and not of the unix socket", async () => {
    const port = String(await freePort());
    const file = passwordFile("password", "p@ss wörd\r\nnot this\n");
    const daemon = await Daemon.start(directory, [
      "--redis-port",
      port,
      "--bind",
      "0.0.0.0",
      "--password-file",
      file,
    ]);
    try {
      await daemon.output("set", "k", "v");
      const get = (credentials: string): Promise<Outcome> =>
        lankv(["--url", `redis://${credentials}127.0.0.1:${port}`, "get", "k"]);
      for (const credentials of [":p%40ss%20w%C3%B6rd@", "default:p%40ss%20w%C3%B6rd@"]) {
        assert.equal((await get(credentials)).text, "v");
      }
      for (const [credentials, what] of [
        ["", "a password"],
        [":nope@", "another password"],
        ["alice:p%40ss%20w%C3%B6rd@", "another password"],
      ] as const) {
        const { code, stderr } = await get(credentials);
        assert.equal(code, 1);
        assert.match(
          stderr,
          new RegExp(`^lankv: The daemon wants ${what}\\. Give it with --url redis://:PASSWORD@`),
        );
      }
      assert.doesNotMatch(daemon.log, /password/);
    } finally {
      await daemon.end();
    }
  });

  it("in a file that everybody may read is warned of", async () => {
    const file = passwordFile("open", "secret", 0o644);
    const daemon = await Daemon.start(directory, ["--password-file", file]);
    await daemon.end();
    assert.match(daemon.log, /every user of this host may read the password file; mend it with 'chmod 600 /);
  });

  it("must be in the file, and the file be there", async () => {
    mkdirSync(path.join(directory, "folder"));
    for (const [file, reason] of [
      [passwordFile("empty", "\nsecret\n"), /first line .* must have 1 to 512 bytes, and has none/],
      [passwordFile("long", "x".repeat(513)), /must have 1 to 512 bytes, and has more/],
      [
        path.join(directory, "nowhere"),
        /cannot be read: it is not there\. Name another with --password-file/,
      ],
      [path.join(directory, "folder"), /cannot be read: it is a directory/],
    ] as const) {
      const { code, stderr } = await refused(file);
      assert.equal(code, 1, stderr);
      assert.match(stderr, reason);
    }
  });

  it("of 512 bytes is long enough", async () => {
    const daemon = await Daemon.start(directory, [
      "--password-file",
      passwordFile("longest", `${"x".repeat(512)}\r\n`),
    ]);
    await daemon.end();
  });
});

describe("--no-protected-mode", () => {
  // Loopback too, in a form that is not taken for it: this machine lets nobody in during the test.
  const bind = ["--bind", "::ffff:127.0.0.1"];

  it("lets TCP clients in without a password, and without it the daemon does not start", async () => {
    const port = String(await freePort());
    const flags = ["--redis-port", port, ...bind];
    const { code, stderr } = await lankv([
      "serve",
      "--socket",
      path.join(directory, "protected.sock"),
      ...flags,
      ...(await aloneFlags()),
    ]);
    assert.equal(code, 2);
    assert.match(stderr, /unless a password is set with --password-file FILE.* say --no-protected-mode/);
    const daemon = await Daemon.start(directory, [...flags, "--no-protected-mode"]);
    try {
      assert.equal((await lankv(["--url", `redis://127.0.0.1:${port}`, "set", "k", "v"])).code, 0);
    } finally {
      await daemon.end();
    }
  });

  it("leaves a password in force", async () => {
    const port = String(await freePort());
    const file = passwordFile("in force", "secret");
    const daemon = await Daemon.start(directory, [
      ...["--redis-port", port, ...bind],
      ...["--no-protected-mode", "--password-file", file],
    ]);
    try {
      assert.equal((await lankv(["--url", `redis://127.0.0.1:${port}`, "get", "k"])).code, 1);
    } finally {
      await daemon.end();
    }
  });
});
