/** A copy of the compiled program with one breakage in it, and the search for the first seed, or the transcript, that notices. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Breakage, Edit } from "./breakages.js";

/** The folder that everything is compiled to: this file runs three folders below it. */
const BUILT = path.resolve(import.meta.dirname, "../../..");
const PARTS = [
  "src/core",
  "src/wire",
  "src/storage",
  "test/received.js",
  "test/sim",
  "test/scenarios",
  "scripts/sim.js",
];
const HEAP_MEGABYTES = 1_024;

interface Caught {
  readonly seed: number;
  readonly checker: string;
}

/** @returns the text with the edit made; undefined when it does not match at exactly one place */
function edited(text: string, { find, replace }: Edit): string | undefined {
  const pieces = text.split(find);
  return pieces.length === 2 ? pieces.join(replace) : undefined;
}

function fileOf({ file }: Edit): string {
  return path.join(file.startsWith("sim/") ? "test" : "src", file);
}

/** Names the edits that do not match at exactly one place. */
export function misfits({ name, edits }: Breakage): readonly string[] {
  return edits
    .filter((edit) => edited(readFileSync(path.join(BUILT, fileOf(edit)), "utf8"), edit) === undefined)
    .map((edit) => `${name}: ${edit.file} does not have "${edit.find}" once`);
}

/**
 * Runs seeds against the broken program until one fails.
 * @param seedsMax how many to try
 * @param limitMs after which the program counts as hanging
 * @returns undefined when all seeds passed
 */
export function catchIt(breakage: Breakage, seedsMax: number, limitMs: number): Caught | undefined {
  const directory = mkdtempSync(path.join(tmpdir(), "lankv-mutant-"));
  try {
    for (const part of PARTS) {
      mkdirSync(path.dirname(path.join(directory, part)), { recursive: true });
      cpSync(path.join(BUILT, part), path.join(directory, part), { recursive: true });
    }
    writeFileSync(path.join(directory, "package.json"), '{ "type": "module" }\n');
    for (const edit of breakage.edits) {
      const file = path.join(directory, fileOf(edit));
      const text = edited(readFileSync(file, "utf8"), edit);
      if (text === undefined) throw new Error(misfits(breakage).join("\n"));
      writeFileSync(file, text);
    }
    return breakage.transcript === undefined
      ? firstFailure(directory, seedsMax, limitMs, breakage.only)
      : transcriptFailure(directory, breakage.transcript, limitMs);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function transcriptFailure(directory: string, transcript: string, limitMs: number): Caught | undefined {
  const file = path.join(directory, `test/scenarios/${transcript}.test.js`);
  const { status } = spawnSync(process.execPath, ["--test", file], { timeout: limitMs });
  return status === 0 ? undefined : { seed: 0, checker: `transcript: ${transcript}` };
}

function firstFailure(
  directory: string,
  seedsMax: number,
  limitMs: number,
  only: "disk" | undefined,
): Caught | undefined {
  const { stdout, status, signal } = spawnSync(
    process.execPath,
    [
      `--max-old-space-size=${String(HEAP_MEGABYTES)}`,
      path.join(directory, "scripts/sim.js"),
      `--seeds=${String(seedsMax)}`,
      ...(only === undefined ? [] : [`--only=${only}`]),
    ],
    { encoding: "utf8", timeout: limitMs, maxBuffer: 64 * 1024 * 1024 },
  );
  const found = /^FAILED seed (\d+) at \d+ ms: ([^:]+):/m.exec(stdout);
  if (found !== null) return { seed: Number(found[1]), checker: found[2] ?? "" };
  if (signal !== null) return { seed: 0, checker: "it hung" };
  return status === 0 ? undefined : { seed: 0, checker: "it crashed" };
}
