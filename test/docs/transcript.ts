/**
 * A terminal session in a document, as it can be run and compared.
 *
 *     ```console runnable
 *     pi1$ lankv serve               a command, run on the host pi1; `$ ` alone is a host of its own
 *     ...                            any lines
 *     $ lankv set note "one
 *     > two"                         goes on with the command
 *     $ lankv get note
 *     one
 *     two                            all that it prints; ... within a line is any text
 *     $ lankv repl
 *     lankv> 1 + 1                   typed into the command
 *     2
 *     ```
 */

export interface Step {
  /** "" = the host of a prompt without a name. */
  readonly host: string;
  readonly command: string;
  /** Lines that are typed into it. */
  readonly typed: readonly string[];
  /** What it has to print, with wildcards. */
  readonly expected: readonly string[];
}

export function toSteps(text: string): Step[] {
  const steps: { host: string; command: string; typed: string[]; expected: string[] }[] = [];
  for (const line of text.split("\n")) {
    const [, host, command] = /^([a-z][a-z0-9]*)?\$ (.+)$/.exec(line) ?? [];
    const step = steps.at(-1);
    if (command !== undefined) steps.push({ host: host ?? "", command, typed: [], expected: [] });
    else if (step === undefined) throw new Error(`a session begins with a command, not with: ${line}`);
    else if (line.startsWith("lankv> ")) step.typed.push(line.slice("lankv> ".length));
    else if (line.startsWith("> ") && step.expected.length === 0) step.command += `\n${line.slice(2)}`;
    else step.expected.push(line);
  }
  return steps;
}

/** Whether lines are as expected: `...` is any text within a line, and alone on a line any lines. */
export function matches(lines: readonly string[], expected: readonly string[]): boolean {
  const [wanted, ...rest] = expected;
  if (wanted === undefined) return lines.length === 0;
  if (wanted === "...") return lines.some((_, at) => matches(lines.slice(at), rest)) || matches([], rest);
  const [line, ...others] = lines;
  return line !== undefined && isLike(line, wanted) && matches(others, rest);
}

function isLike(line: string, wanted: string): boolean {
  const parts = wanted.split("...").map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`).test(line);
}
