/** What is wrong is said in one sentence with its mend, with the documented exit code, and nothing is half done. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { after, describe, it } from "node:test";
import { aloneFlags, bin, Daemon, freePort, lankv, run, scratchDirectory, type Outcome } from "./lankv.js";

const directory = scratchDirectory(after);

/** Starts a node that must refuse. */
async function refusedServe(...flags: string[]): Promise<Outcome> {
  const own = flags.includes("--socket") ? [] : ["--socket", path.join(directory, "refused.sock")];
  const port = flags.includes("--redis-port") ? [] : ["--redis-port", "0"];
  const alone = flags.includes("--interface") ? ["--memory"] : await aloneFlags();
  const outcome = await lankv(["serve", ...own, ...port, ...alone, ...flags]);
  assert(!existsSync(path.join(directory, "refused.sock")), "no socket is left behind");
  assert.equal(outcome.text, "");
  return outcome;
}

function says({ code, stderr }: Outcome, exitCode: number, pattern: RegExp): void {
  assert.match(stderr, pattern);
  assert.equal(code, exitCode, stderr);
  assert.doesNotMatch(stderr, /\n +at /, "no stack trace");
}

describe("a command line", () => {
  for (const [args, help] of [
    [["--foo"], "lankv --help"],
    [["serve", "--foo"], "lankv serve --help"],
    [["--url", "http://localhost", "status"], "lankv status --help"],
    [["service", "install", "--", "--foo"], "lankv service install --help"],
  ] as const) {
    it(`"lankv ${args.join(" ")}" is followed by where its own flags are told`, async () => {
      const { code, stderr } = await lankv(args);
      assert.equal(code, 2);
      assert.match(stderr, /^lankv: /);
      assert.equal(stderr.trimEnd().split("\n").at(-1), `See '${help}'.`);
    });
  }

  for (const [args, pattern] of [
    [["get", "k", "--foo"], /unknown option '--foo'/],
    [["serve", "--foo"], /unknown option '--foo'/],
    [["serve", "--fsync", "often"], /Allowed choices are always, everysec, never/],
    [["frob"], /unknown command 'frob'/],
    [["gte", "k"], /unknown command 'gte'\n\(Did you mean get\?\)/],
    [["get"], /missing required argument 'key'/],
    [["get", "a", "b"], /too many arguments/],
    [["get", "k", "--timeout", "soon"], /'soon' is invalid.*duration such as 500ms, 10s or 1m/],
    [["get", "k", "--timeout", "-1s"], /duration/],
    [["get", "k", "--timeout", "30d"], /'30d' is invalid.*at most 1d/],
    [["set", "k", "v", "--ttl", "0"], /'0' is invalid.*longer than 0/],
    [["get", ""], /^lankv: A key has 1 to 1024 bytes, not 0/],
    [["get", "k".repeat(1025)], /^lankv: A key has 1 to 1024 bytes, not 1025/],
    [["ttl", "k", "soon"], /'soon' is invalid.*duration/],
    [["ttl", "k", "0"], /'0' is invalid.*longer than 0/],
    [["expire", "k"], /missing required argument 'duration'/],
    [["incr", "k", "1.5"], /'1.5' is invalid.*whole number of 64 bits/],
    [["incr", "k", "9223372036854775808"], /whole number of 64 bits/],
    [["watch", "-C", "0"], /whole number from 1/],
    [["watch", "-W", "soon"], /'soon' is invalid.*duration/],
    [["ls", "--limit", "-1"], /whole number from 0/],
    [["set", "k", "v", "--nx", "--xx"], /cannot be used with/],
    [["serve", "--port", "0"], /whole number from 1 to 65535/],
    [["serve", "--redis-port", "65536"], /whole number from 0 to 65535/],
    [["serve", "--beacon-port", "x"], /whole number from 1 to 65535/],
    [["serve", "--log-level", "loud"], /Allowed choices are error, warn, info, debug/],
    [["--url", "http://localhost", "status"], /--url must be redis:/],
  ] as const) {
    it(`"lankv ${args.join(" ").slice(0, 80)}" is refused with 2`, async () => {
      // Should a node start after all, it keeps to this host.
      says(await lankv(args, { env: { LANKV_INTERFACE: "lo" } }), 2, pattern);
    });
  }

  it("may come from the environment, and is checked there as well", async () => {
    says(await lankv(["status"], { env: { LANKV_TIMEOUT: "soon" } }), 2, /LANKV_TIMEOUT.*duration/);
  });

  it("that asks for help gets it, with 0", async () => {
    for (const args of [["--help"], ["help", "get"], ["get", "--help"]]) {
      const { code, text } = await lankv(args);
      assert.equal(code, 0);
      assert.match(text, /--socket/);
    }
  });
});

describe("keys and values out of bounds", () => {
  it("are refused with 1, and nothing is written", async () => {
    const daemon = await Daemon.start(directory);
    try {
      const tooLong = await daemon.cli(["set", "k", "-"], { input: Buffer.alloc(1_048_577) });
      says(tooLong, 1, /^lankv: The value has 1048577 bytes, and at most 1048576 fit/);
      says(await daemon.cli(["set", "k".repeat(1025), "v"]), 1, /key must have 1 to 1024 bytes, not 1025/);
      says(await daemon.cli(["set", "", "v"]), 1, /key must have 1 to 1024 bytes, not 0/);
      says(
        await daemon.cli(["set", "k", "@/no/such/file"]),
        1,
        /^lankv: The file \/no\/such\/file cannot be read/,
      );
      says(await daemon.cli(["get", "k", "--timeout", "0", "-o", "/no/such/file"]), 3, /there is no key/);
      assert.equal(await daemon.output("ls"), "");
    } finally {
      await daemon.end();
    }
  });
});

describe("serve refuses", () => {
  it("an interface that the machine does not have", async () => {
    const outcome = await refusedServe("--interface", "nope0");
    says(outcome, 2, /^lankv: There is no network interface nope0 .* This machine has: .*lo.*--interface/);
  });

  it("names that are too long or empty", async () => {
    says(await refusedServe("--name", "n".repeat(65)), 2, /name must have 1 to 64 bytes, not 65/);
    says(await refusedServe("--cluster", ""), 2, /cluster must have 1 to 64 bytes, not 0/);
  });

  it("peers and addresses that are none", async () => {
    says(await refusedServe("--peer", "a:b:c"), 2, /peers must be HOST or HOST:PORT/);
    says(await refusedServe("--advertise", "not a host"), 2, /advertise must be a host/);
  });

  it("to serve beyond loopback", async () => {
    // An address of documentation, which no machine has.
    const elsewhere = [
      "--bind",
      "192.0.2.1",
      "--redis-port",
      String(await freePort()),
      "--no-protected-mode",
    ];
    says(await refusedServe(...elsewhere), 1, /this machine does not have that address\. .* --bind/);
    says(await refusedServe("--bind", "0.0.0.0"), 2, /bind must be a loopback address/);
  });

  it("a TCP port that is taken", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const address = other.address();
    assert(address !== null && typeof address === "object");
    const outcome = await refusedServe("--redis-port", String(address.port));
    says(
      outcome,
      1,
      /^lankv: The TCP port for Redis clients, 127\.0\.0\.1:\d+, cannot be bound: another program listens there, .*'lankv status'\. Choose another with --redis-port/,
    );
    other.close();
  });

  it("the socket of another daemon, which goes on", async () => {
    const daemon = await Daemon.start(directory);
    try {
      const second = await refusedServe("--socket", daemon.socket);
      says(
        second,
        1,
        /^lankv: Another lankv serves at .*d\.sock\. Stop it with 'lankv --socket .* stop', or .*--socket PATH/,
      );
      await daemon.output("status");
    } finally {
      await daemon.end();
    }
  });

  it("a data directory that another daemon uses, and leaves no socket", async () => {
    const dataDir = path.join(directory, "data");
    const flags = [
      "--interface",
      "lo",
      "--beacon-port",
      (await aloneFlags()).at(-1) ?? "",
      "--data-dir",
      dataDir,
    ];
    const daemon = await Daemon.start(directory, flags);
    try {
      const socket = path.join(directory, "second.sock");
      const second = await lankv(["serve", ...flags, "--redis-port", "0", "--socket", socket]);
      says(second, 1, /^lankv: Another lankv process uses the data directory .*--data-dir/);
      assert(!existsSync(socket));
    } finally {
      await daemon.end();
    }
  });

  it("a path that is no socket, and leaves it alone", async () => {
    const file = path.join(directory, "file");
    writeFileSync(file, "precious");
    says(await refusedServe("--socket", file), 1, /is there already, and not a socket/);
    assert(existsSync(file));
    says(await refusedServe("--socket", path.join(file, "s")), 1, /a part of the path is not a directory/);
  });

  it("a path that is too long for a socket", async () => {
    const socket = path.join(directory, "x".repeat(108));
    says(
      await refusedServe("--socket", socket),
      1,
      /path is too long: .* the system allows 107\. .*--socket/,
    );
  });

  for (const [kind, options, reason] of [
    ["read-only", "ro,size=64k", /the file system is read-only/],
    ["full", "size=64k,nr_inodes=1", /the disk is full/],
  ] as const) {
    it(`a ${kind} file system`, async (test) => {
      const mounted = path.join(directory, kind);
      mkdirSync(mounted);
      // A mount of its own in a namespace of its own: no root is needed, and it goes with the process.
      const script = 'mount -t tmpfs -o "$1" none "$2" || exit 77; shift 2; exec "$@"';
      const serve = [process.execPath, bin, "serve", ...(await aloneFlags()), "--redis-port", "0"];
      const outcome = await run("unshare", [
        ...["-Urm", "sh", "-c", script, "sh", options, mounted],
        ...[...serve, "--socket", path.join(mounted, "lankv.sock")],
      ]);
      if (outcome.code === 77 || outcome.stderr.includes("unshare: ")) {
        test.skip("namespaces cannot be made here");
        return;
      }
      says(outcome, 1, reason);
      assert.match(outcome.stderr, /^lankv: The socket .* cannot be made: .*--socket PATH/);
    });
  }
});

describe("a client", () => {
  it("that meets no Redis server says so", async () => {
    const port = await freePort();
    const server = createServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")).listen(
      port,
      "127.0.0.1",
    );
    await once(server, "listening");
    const { code, stderr } = await lankv(["--url", `redis://127.0.0.1:${port}`, "status"]);
    assert.equal(code, 4);
    assert.match(stderr, /ended the connection.*Protocol error/);
    server.close();
  });

  it("gives up with 5 on a daemon that does not stop", async () => {
    const server = createServer((socket) => socket.on("data", () => socket.write("+OK\r\n")));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    assert(address !== null && typeof address === "object");
    const args = ["--url", `redis://127.0.0.1:${address.port}`, "--timeout", "50ms", "stop"];
    says(await lankv(args), 5, /^lankv: The daemon was told to end, and has not after 50 ms/);
    server.close();
  });

  it("shows nothing of the names of peers that a terminal would obey", async () => {
    const peers = JSON.stringify([
      { name: "\x1b[2Jattic\u009b", version: "\x1b[31m", state: "up", rttMs: null, clockOffsetMs: 0 },
    ]);
    const server = createServer((socket) =>
      socket.on("data", () => socket.write(`$${Buffer.byteLength(peers)}\r\n${peers}\r\n`)),
    );
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    assert(address !== null && typeof address === "object");
    const { text } = await lankv(["--url", `redis://127.0.0.1:${address.port}`, "peers"]);
    assert.match(text, /^NAME[ -~\n]*\\x1b\[2Jattic\\x9b [ -~]*\\x1b\[31m\n$/);
    server.close();
  });

  it("that gets no reply gives up with 5", async () => {
    const server = createServer(() => undefined).listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    assert(address !== null && typeof address === "object");
    const args = ["--url", `redis://127.0.0.1:${address.port}`, "--timeout", "50ms", "status"];
    says(await lankv(args), 5, /^lankv: No reply from the daemon for 50 ms/);
    server.close();
  });
});
