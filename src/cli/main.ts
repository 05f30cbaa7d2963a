/** The program `lankv`: the command line in, an exit code out. */
import { CommanderError, type Command } from "commander";
import { EXIT, Failure, toExitCode } from "./exit.js";
import { toPrintable } from "./printable.js";
import { helpOf, toProgram } from "./program.js";

/**
 * Runs one command line.
 * @param argv what follows the program's name
 */
export async function main(argv: readonly string[]): Promise<number> {
  let exitCode: number = EXIT.ok;
  const program = toProgram((code) => {
    exitCode = code;
  });
  let chosen: Command = program;
  program.hook("preAction", (_, command) => {
    chosen = command;
  });
  // Who reads the output may stop reading: `lankv ls | head`.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(EXIT.error);
  });
  // A log that nobody can read any more is lost; what it is the log of goes on.
  process.stderr.on("error", () => undefined);
  try {
    await program.parseAsync(argv, { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    tell(error, program.opts<{ verbose?: true }>().verbose === true, chosen);
    return toExitCode(error);
  }
}

/** One sentence; with --verbose also where it happened and what underlies it. */
function tell(error: unknown, isVerbose: boolean, command: Command): void {
  const message = error instanceof Error ? error.message : String(error);
  say(`lankv: ${message}\n`);
  if (isVerbose && error instanceof Error) {
    const cause =
      error.cause instanceof Error ? `caused by ${error.cause.stack ?? error.cause.message}\n` : "";
    say(`${error.stack ?? ""}\n${cause}`);
  } else if (error instanceof Failure && error.exitCode === EXIT.usage) {
    say(`${helpOf(command)}\n`);
  }
}

/** Errors may quote what others wrote. */
function say(text: string): void {
  process.stderr.write(toPrintable(Buffer.from(text)));
}
