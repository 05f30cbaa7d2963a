/** The sessions of README.md and docs that are marked as runnable show what really happens, on hosts of a test LAN. */
import { unavailable } from "../lan/namespace.js";
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { blocksOf, root } from "../conformance/project.js";
import { Lan } from "../lan/lan.js";
import { missing } from "../lan/namespace.js";
import { Terminal, type Background } from "./terminal.js";
import { matches, toSteps, type Step } from "./transcript.js";

/** The session needs a daemon that it does not start itself. */
const SERVING = "serving";
/** Commands that go on until they are ended. */
const ENDLESS = /^lankv (?:serve|watch)\b(?!.*(?:--help|-C |-W ))/;

const documents = ["README.md", ...readdirSync(path.join(root, "docs")).map((name) => `docs/${name}`)].filter(
  (file) => file.endsWith(".md"),
);
const lack = missing(["script", "nsenter", "/usr/bin/python3", "redis-cli"]);
const reason = unavailable ?? (lack === undefined ? undefined : `this machine has no ${lack}`);
let sessions = 0;

for (const document of documents) {
  const blocks = blocksOf(document).filter(({ info }) => info.startsWith("console runnable"));
  if (blocks.length === 0) continue;
  sessions += blocks.length;
  describe(document, { skip: reason ?? false }, () => {
    let stage: Stage;

    before(async () => {
      stage = new Stage(await Lan.create());
    });

    after(async () => {
      await stage.close();
    });

    for (const { info, text, heading } of blocks) {
      const title = toSteps(text)[0]?.command.split("\n")[0] ?? "";
      it(`${heading}: ${title}`, async () => {
        if (info.split(" ").includes(SERVING)) await stage.serve();
        for (const step of toSteps(text)) await stage.play(step);
      });
    }
  });
}

it("there are sessions", { skip: reason ?? false }, () => {
  assert.ok(sessions >= 8, `${String(sessions)} sessions`);
});

/** The hosts of one document: what a session leaves there, the next finds. */
class Stage {
  readonly #terminals = new Map<string, Promise<Terminal>>();
  #daemon: Background | undefined;

  constructor(private readonly lan: Lan) {}

  /** Has a daemon on the host without a name. */
  async serve(): Promise<void> {
    if (this.#daemon !== undefined) return;
    const terminal = await this.#terminal("");
    this.#daemon = terminal.start("lankv serve");
    const { code, lines } = await terminal.run("lankv wait");
    assert.equal(code, 0, lines.join("\n"));
  }

  async play({ host, command, typed, expected }: Step): Promise<void> {
    const terminal = await this.#terminal(host);
    if (ENDLESS.test(command)) {
      const running = terminal.start(command);
      const isSo = (lines: readonly string[]): boolean => matches(lines, [...expected, "..."]);
      await running.printed(`${host}$ ${command}\n${expected.join("\n")}\n`, isSo);
      return;
    }
    const { code, lines } = await terminal.run(command, typed);
    const said = `${host}$ ${command}\n${lines.join("\n")}\n(exit code ${String(code)})`;
    assert.ok(matches(lines, expected), `expected:\n${expected.join("\n")}\n\nwas:\n${said}`);
    assert.equal(code, 0, said);
  }

  async close(): Promise<void> {
    for (const terminal of this.#terminals.values()) (await terminal).close();
    await this.lan[Symbol.asyncDispose]();
  }

  #terminal(name: string): Promise<Terminal> {
    const known = this.#terminals.get(name);
    if (known !== undefined) return known;
    const made = this.lan.host({ name: name === "" ? "here" : name }).then((host) => Terminal.on(host));
    this.#terminals.set(name, made);
    return made;
  }
}
