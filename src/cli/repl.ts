/** `lankv repl`: a Node prompt with `kv` ready, await at top level, and tab completion of keys. */
import { createInterface } from "node:readline";
import { start, type REPLServer } from "node:repl";
import { Readable } from "node:stream";
import { connectToDaemon } from "./connect.js";
import { EXIT, type ExitCode } from "./exit.js";
import type { GlobalFlags } from "./flags.js";
import { toPrintableText } from "./printable.js";
import { Remote } from "./remote.js";

/** At most so many keys are offered. */
const COMPLETIONS_MAX = 100;

/** A call on kv whose first argument, a string, is being typed. */
const KEY_BEING_TYPED = /\bkv\s*\.\s*(?:get|set|delete|has|entry)\s*\(\s*(["'`])([^"'`\\]*)$/;

type Completion = [completions: string[], typed: string];

export async function repl(flags: GlobalFlags): Promise<ExitCode> {
  const kv = new Remote(await connectToDaemon(flags));
  const isTerminal = process.stdin.isTTY && process.stdout.isTTY;
  if (isTerminal && flags.quiet !== true) {
    const { name, peers, keys } = await kv.status();
    process.stdout.write(
      `${String(name)}: ${String(keys)} keys, ${String(peers)} peers. Try await kv.set("one", "111"); .exit ends.\n`,
    );
  }
  const turns = new Turns();
  const server = start({
    prompt: isTerminal ? "lankv> " : "",
    terminal: isTerminal,
    // A preview would ask the daemon for keys at each stroke.
    preview: false,
    ...(isTerminal ? {} : { input: Readable.from(turns.lines(process.stdin)), output: process.stdout }),
  });
  turns.follow(server);
  Object.defineProperty(server.context, "kv", { value: kv, enumerable: true, writable: true });
  completeKeys(server, kv);
  await new Promise((resolve) => server.once("exit", resolve));
  kv.close();
  return EXIT.ok;
}

/**
 * Hands over lines that are not typed one at a time: Node's prompt would evaluate the next one while an
 * await of the one before is under way, and end before the last.
 */
class Turns {
  #next: () => void = () => undefined;

  async *lines(input: NodeJS.ReadableStream): AsyncGenerator<string> {
    for await (const line of createInterface({ input, crlfDelay: Infinity })) {
      const turn = new Promise<void>((resolve) => {
        this.#next = resolve;
      });
      yield `${line}\n`;
      await turn;
    }
  }

  follow(server: REPLServer): void {
    const displayPrompt = server.displayPrompt.bind(server);
    server.displayPrompt = (preserveCursor) => {
      displayPrompt(preserveCursor);
      this.#next();
    };
  }
}

function completeKeys(server: REPLServer, kv: Remote): void {
  const completeCode: (...args: never) => unknown = server.completer;
  const complete = (line: string, done: (error: Error | null, completion: Completion) => void): void => {
    const typed = KEY_BEING_TYPED.exec(line);
    if (typed === null) {
      Reflect.apply(completeCode, server, [line, done]);
      return;
    }
    const prefix = typed[2] ?? "";
    kv.keys({ prefix, limit: COMPLETIONS_MAX }).then(
      (keys) => {
        // What a terminal could take for a command of its own cannot be typed either.
        done(null, [keys.filter((key) => toPrintableText(key) === key), prefix]);
      },
      () => {
        done(null, [[], prefix]);
      },
    );
  };
  Object.defineProperty(server, "completer", { value: complete });
}
