/** HELP of the commands that have subcommands: what the table knows of them. */
import type { Command } from "./command.js";
import { Simple } from "./reply.js";

/** The subcommands of a container, and the one that lists them all. */
export function withHelp(container: string, subcommands: readonly Command[]): readonly Command[] {
  const help: Command = {
    name: `${container}|help`,
    arity: 2,
    flags: [],
    summary: "The subcommands",
    syntax: "",
    group: subcommands[0]?.group ?? "server",
    guarantee: "connection",
    handler: () => {
      const lines = [...subcommands, help].flatMap(({ name, syntax, summary }) => [
        `${name.slice(container.length + 1).toUpperCase()} ${syntax}`.trimEnd(),
        `    ${summary}.`,
      ]);
      const title = `${container.toUpperCase()} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`;
      return [title, ...lines].map((line) => new Simple(line));
    },
  };
  return [...subcommands, help];
}
