import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";

/** The project's top level: these tests run compiled, three folders below it. */
const root = path.resolve(import.meta.dirname, "../../..");

/** Every file of the project that git tracks or would, relative to the top level, that is there. */
export function projectFiles(): string[] {
  const listed = execFileSync(
    "git",
    ["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
    { cwd: root, encoding: "utf8" },
  );
  return listed.split("\0").filter((file) => file !== "" && existsSync(path.join(root, file)));
}

export function sourceFiles(): string[] {
  return projectFiles().filter((file) => file.startsWith("src/") && file.endsWith(".ts"));
}

export function textOf(file: string): string {
  return readFileSync(path.join(root, file), "utf8");
}

/** `file:line` of each line of the files that the pattern matches. */
export function linesMatching(files: readonly string[], pattern: RegExp): string[] {
  return files.flatMap((file) =>
    textOf(file)
      .split("\n")
      .flatMap((line, index) => (pattern.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [])),
  );
}
