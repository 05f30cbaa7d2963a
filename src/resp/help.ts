/** The answer to `CONTAINER HELP`: the subcommands of a command, as Redis lays it out. */
import type { Command } from "./command.js";
import { Simple, textToBytes, type Reply } from "./reply.js";

/** The subcommands, and with them HELP itself. */
export function withHelp(container: string, subcommands: readonly Command[]): readonly Command[] {
  const help: Command = {
    name: `${container}|help`,
    arity: 2,
    flags: ["loading"],
    summary: "Shows the subcommands",
    syntax: "",
    group: subcommands[0]?.group ?? "server",
    guarantee: "connection",
    since: "5.0.0",
    complexity: "O(1)",
    handler: () => linesOf(container, [...subcommands, help]),
  };
  return [...subcommands, help];
}

function linesOf(container: string, subcommands: readonly Command[]): Reply {
  const title = `${container.toUpperCase()} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`;
  const lines = subcommands.flatMap(({ name, syntax, summary }) => [
    `${name.slice(container.length + 1).toUpperCase()} ${syntax}`.trimEnd(),
    `    ${summary}.`,
  ]);
  return [title, ...lines].map((line) => new Simple(textToBytes(line)));
}
