/**
 * `npm run picture`: three hosts, what is set on one is read on another, a cable is pulled and put back. Every line is
 * what was typed or printed; it is written into README.md, between the lines that say picture.
 */
import { unavailable } from "../test/lan/namespace.js";
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Lan } from "../test/lan/lan.js";
import { until } from "../test/lan/until.js";
import { Terminal, type Background } from "../test/docs/terminal.js";

const README = fileURLToPath(new URL("../../README.md", import.meta.url));
const MARKED = /(<!-- picture: .*-->\n)[^]*(<!-- \/picture -->)/;
const NOTE_COLUMN = 64;

if (unavailable !== undefined) throw new Error(unavailable);
const lan = await Lan.create();
const terminals: Terminal[] = [];
try {
  for (const name of ["pi1", "pi2", "pi3"]) {
    terminals.push(await Terminal.on(await lan.host({ name })));
  }
  const picture = await draw(terminals);
  const readme = readFileSync(README, "utf8");
  assert.match(readme, MARKED);
  writeFileSync(
    README,
    readme.replace(MARKED, (_, begin: string, end: string) => `${begin}${picture}${end}`),
  );
  process.stdout.write(picture);
} finally {
  for (const terminal of terminals) terminal.close();
  await lan[Symbol.asyncDispose]();
}

async function draw([pi1, pi2, pi3]: readonly Terminal[]): Promise<string> {
  assert(pi1 !== undefined && pi2 !== undefined && pi3 !== undefined);
  const drawn: string[] = [];
  const logs = new Map<Terminal, { running: Background; shown: number }>();
  const note = (text: string): void => {
    drawn.push("", `${" ".repeat(NOTE_COLUMN)}# ${text}`);
  };
  const serve = (on: Terminal): void => {
    logs.set(on, { running: on.start("lankv serve"), shown: 0 });
  };
  /** Shows what a daemon has printed since, up to a line that says so. */
  const show = async (on: Terminal, last: RegExp): Promise<void> => {
    const log = logs.get(on);
    assert(log !== undefined);
    const { running, shown } = log;
    const fresh = (lines: readonly string[]): readonly string[] => lines.slice(shown);
    await running.printed(String(last), (lines) => fresh(lines).some((line) => last.test(line)));
    const lines = fresh(running.lines);
    const end = lines.findIndex((line) => last.test(line)) + 1;
    drawn.push(...lines.slice(0, end));
    log.shown = shown + end;
  };
  const type = async (on: Terminal, command: string): Promise<void> => {
    const { code, lines } = await on.run(command);
    assert.equal(code, 0, `${command}\n${lines.join("\n")}`);
    drawn.push(`${on.host.name}$ ${command}`, ...lines);
  };

  for (const other of [pi2, pi3]) serve(other);
  for (const other of [pi2, pi3]) await until("they see each other", () => peersOf(other, 1));
  serve(pi1);
  drawn.push(`${"pi1$ lankv serve".padEnd(NOTE_COLUMN)}# as it already runs on pi2 and pi3`);
  await show(pi1, /state: live/);
  await until("they see each other", () => peersOf(pi1, 2));
  drawn.push("");
  await type(pi1, "lankv peers");
  await type(pi2, "lankv set greeting hello");
  await type(pi3, "lankv get greeting");
  note("pi3's cable is pulled");
  await pi3.host.cable.cut();
  await show(pi1, /peer gone: pi3/);
  await until("pi3 sees nobody", () => peersOf(pi3, 0));
  await type(pi1, 'lankv set greeting "from pi1"');
  await type(pi3, 'lankv set greeting "from pi3"');
  note("the cable is put back");
  await pi3.host.cable.mend();
  await show(pi1, /peer up: pi3/);
  await type(pi1, "lankv wait --peers 2 --synced");
  await type(pi1, "lankv get greeting");
  await type(pi1, "lankv conflicts");
  return `\`\`\`\n${drawn.join("\n")}\n\`\`\`\n`;
}

async function peersOf(terminal: Terminal, count: number): Promise<void> {
  const { lines } = await terminal.run("lankv status --json");
  const status: unknown = JSON.parse(lines.join(""));
  assert(typeof status === "object" && status !== null && "peers" in status);
  assert.equal(status.peers, count);
}
