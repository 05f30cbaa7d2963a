/**
 * What a data directory says of itself: its format, and the cluster whose keys it holds.
 *
 * One JSON object whose last member, "check", is the CRC-32 of all the text before it, in every format: so what a newer version
 * wrote is not taken for damage. It is there twice. Keys that reach another cluster cannot be called back, and who starts a
 * node without naming its cluster means the one it had; so a flipped bit must not make that be forgotten.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { codeOf } from "../net/claim-socket.js";
import { replaceFile } from "./replace-file.js";

/** The format of data directories that this version writes, and the newest that it reads. */
export const DATA_FORMAT = 1;

export const ABOUT_NAME = "about.json";
/** The same once more. */
export const ABOUT_COPY_NAME = "about.json.copy";

export interface About {
  readonly format: number;
  readonly cluster: string;
}

/**
 * Undefined when there is none.
 * @throws an error of the system
 */
export async function readAbout(directory: string, name: string): Promise<About | "damaged" | undefined> {
  try {
    return toAbout(await readFile(join(directory, name), "utf8"));
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return undefined;
    throw cause;
  }
}

/** @throws an error of the system */
export async function writeAbout(directory: string, name: string, cluster: string): Promise<void> {
  const checked = JSON.stringify({ format: DATA_FORMAT, cluster }).slice(0, -1);
  await replaceFile(join(directory, name), `${checked},"check":"${checkOf(checked)}"}\n`);
}

/** The check tells a flipped bit, which must not keep a node from starting, from what was meant. */
function toAbout(text: string): About | "damaged" {
  const [, checked = "", check] = /^(.*),"check":"([0-9a-f]{8})"\}\n$/s.exec(text) ?? [];
  if (check !== checkOf(checked)) return "damaged";
  const parsed: unknown = JSON.parse(`${checked}}`);
  if (typeof parsed !== "object" || parsed === null || !("format" in parsed)) return "damaged";
  const { format } = parsed;
  if (typeof format !== "number") return "damaged";
  const cluster = "cluster" in parsed && typeof parsed.cluster === "string" ? parsed.cluster : "";
  return { format, cluster };
}

function checkOf(text: string): string {
  return crc32(text).toString(16).padStart(8, "0");
}
