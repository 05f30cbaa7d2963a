/** redis-cli of Debian's redis-tools, as people use it. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, beforeEach, describe, it } from "node:test";
import { run, type RunOptions } from "../cli/lankv.js";
import { until } from "../lan/until.js";
import { SERVERS, type Server } from "./server.js";

const PASSWORD = "open sesame";

for (const [name, start] of SERVERS) {
  describe(`redis-cli with ${name}`, () => {
    let server: Server;

    before(async () => {
      server = await start();
    });

    beforeEach(async () => {
      assert.equal(await cli(["flushall"]), "OK\n");
    });

    after(() => server[Symbol.asyncDispose]());

    async function cli(args: readonly string[], options?: RunOptions): Promise<string> {
      const { code, text, stderr } = await run("redis-cli", ["-p", String(server.port), ...args], options);
      assert.equal(code, 0, stderr);
      assert.equal(stderr, "");
      return text;
    }

    it("sets, reads and deletes, by TCP and by the unix socket", async () => {
      assert.equal(await cli(["set", "one", "111"]), "OK\n");
      assert.equal((await run("redis-cli", ["-s", server.socket, "get", "one"])).text, "111\n");
      assert.equal(await cli(["-3", "get", "one"]), "111\n");
      assert.equal(await cli(["del", "one"]), "1\n");
      assert.equal(await cli(["get", "one"]), "\n");
      assert.equal(await cli(["-n", "0", "ping"]), "PONG\n");
    });

    it("shows replies in every form", async () => {
      await cli(["mset", "a", "1", "b", "two words"]);
      assert.equal(await cli(["--no-raw", "mget", "a", "b", "c"]), '1) "1"\n2) "two words"\n3) (nil)\n');
      assert.equal(await cli(["--csv", "mget", "a", "b", "c"]), '"1","two words",NULL\n');
      assert.equal(await cli(["--json", "mget", "a", "b", "c"]), '["1","two words",null]\n');
      assert.match(await cli(["--json", "config", "get", "maxmemory"]), /^\{"maxmemory":"\d+"\}\n$/);
      assert.match(await cli(["--json", "hello"]), /"server":"(?:redis|lankv)",.*"proto":3/);
      assert.match(await cli(["--json", "command", "docs", "get"]), /^\{"get":\{"summary":"/);
      assert.match(await cli(["--no-raw", "incr", "a"]), /^\(integer\) 2\n$/);
    });

    it("repeats a command, and takes its last argument from a file", async () => {
      assert.equal(await cli(["-r", "3", "-i", "0.01", "incr", "n"]), "1\n2\n3\n");
      assert.equal(await cli(["-x", "set", "bytes"], { input: Buffer.from([0, 255, 10, 13]) }), "OK\n");
      const { stdout } = await run("redis-cli", ["-p", String(server.port), "get", "bytes"]);
      assert.deepEqual(stdout, Buffer.from([0, 255, 10, 13, 10]));
    });

    it("reads commands from a file, and shows errors as errors", async () => {
      const shown = await cli([], { input: 'set k "a b"\nget k\nfrob x\nget\nquit\n' });
      assert.match(
        shown,
        /^OK\na b\nERR unknown command 'frob', with args beginning with: 'x' \n\nERR wrong number of arguments for 'get' command\n/,
      );
      assert.equal(await cli([], { input: "multi\nset t 1\nincr t\nexec\n" }), "OK\nQUEUED\nQUEUED\nOK\n2\n");
    });

    it("ends with the code that tells what became of the command", async () => {
      const port = String(server.port);
      assert.equal((await run("redis-cli", ["-p", port, "-e", "get", "k"])).code, 0);
      const failed = await run("redis-cli", ["-p", port, "-e", "nonsense"]);
      assert.equal(failed.code, 1);
      assert.match(failed.text + failed.stderr, /^ERR unknown command 'nonsense'/);
    });

    it("pipes in bulk and walks it", async () => {
      const lines = Array.from({ length: 5_000 }, (_, index) => `SET bulk/${index} v${index}\r\n`);
      const piped = await cli(["--pipe"], { input: lines.join("") });
      assert.match(piped, /errors: 0, replies: 5000/);
      const walked = (await cli(["--scan", "--pattern", "bulk/*"])).trimEnd().split("\n");
      assert.equal(walked.length, 5_000);
      assert.equal(new Set(walked).size, 5_000);
      assert.match(await cli(["--bigkeys"]), /5000 strings with \d+ bytes/);
    });

    it("watches what is published", async () => {
      const args = ["-p", String(server.port), "--csv", "subscribe", "news"];
      const subscriber = spawn("redis-cli", args, { timeout: 30_000, killSignal: "SIGKILL" });
      let shown = "";
      subscriber.stdout.on("data", (chunk: Buffer) => (shown += chunk.toString()));
      await until("it has subscribed", async () => {
        assert.equal(await cli(["publish", "news", "hello"]), "1\n");
      });
      await until("it has shown the message", () => {
        assert.match(shown, /^"subscribe","news",1\n"message","news","hello"\n$/m);
      });
      subscriber.kill();
      await once(subscriber, "exit");
    });

    it("talks with people at a terminal, with hints and help for the commands of the server", async () => {
      const terminal = new Terminal(`redis-cli -p ${server.port}`);
      await terminal.shows(/:\d+> $/);
      // A hint follows what has been typed.
      terminal.type("set ");
      await terminal.shows(/key value/);
      terminal.type("one 111\r");
      await terminal.shows(/OK\r\n.*> $/s);
      terminal.type("get one\r");
      await terminal.shows(/"111"\r\n.*> $/s);
      terminal.type("help getdel\r");
      await terminal.shows(/GETDEL key.*summary: .*since: .*group: string/s);
      terminal.type("multi\r");
      await terminal.shows(/\(TX\)> $/);
      terminal.type("exec\r");
      await terminal.shows(/\(empty array\).*> $/s);
      terminal.type("exit\r");
      assert.equal(await terminal.ended(), 0);
    });
  });

  describe(`redis-cli with ${name} and a password`, () => {
    it("is let in with it and not without", async () => {
      await using server = await start({ password: PASSWORD });
      const cli = (args: readonly string[], options?: RunOptions) =>
        run("redis-cli", ["-p", String(server.port), ...args], options);
      assert.match((await cli(["get", "k"])).text, /^NOAUTH Authentication required\.\n/);
      assert.equal((await cli(["get", "k"], { env: { REDISCLI_AUTH: PASSWORD } })).text, "\n");
      assert.equal((await cli(["--no-auth-warning", "-a", PASSWORD, "ping"])).text, "PONG\n");
      assert.equal(
        (await cli(["--user", "default", "--pass", PASSWORD, "--no-auth-warning", "ping"])).text,
        "PONG\n",
      );
      assert.match((await cli(["-a", "wrong", "ping"])).stderr, /AUTH failed: WRONGPASS/);
      assert.equal((await cli([], { input: `auth "${PASSWORD}"\nset k v\n` })).text, "OK\nOK\n");
    });
  });
}

/** A program at a terminal of a hundred columns. */
class Terminal {
  readonly #child;
  readonly #exited: Promise<unknown>;
  #shown = "";

  constructor(command: string) {
    // Without a size the program would ask the terminal for it, which nobody answers.
    this.#child = spawn("script", ["-qec", `stty cols 100 rows 30; exec ${command}`, "/dev/null"], {
      env: { ...process.env, TERM: "xterm", HOME: "/nonexistent" },
      timeout: 60_000,
      killSignal: "SIGKILL",
    });
    this.#child.stdout.on("data", (chunk: Buffer) => (this.#shown += chunk.toString()));
    this.#exited = once(this.#child, "exit");
  }

  type(keys: string): void {
    this.#shown = "";
    this.#child.stdin.write(keys);
  }

  /** Waits until what was shown since the last keys, without colours and movements, looks so. */
  async shows(pattern: RegExp): Promise<void> {
    await until("the terminal shows it", () => {
      assert.match(this.#shown.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, ""), pattern);
    });
  }

  async ended(): Promise<number | null> {
    await this.#exited;
    return this.#child.exitCode;
  }
}
