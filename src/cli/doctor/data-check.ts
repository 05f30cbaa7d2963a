/** Whether a node can keep its data where it would, or does. Nothing is made or changed. */
import { constants } from "node:fs";
import { access, readdir, stat, statfs } from "node:fs/promises";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { codeOf, SOCKET_PATH_BYTES_MAX } from "../../net/claim-socket.js";
import { ABOUT_COPY_NAME, ABOUT_NAME, readAbout } from "../../node/about.js";
import { toPrintableText } from "../printable.js";
import { isObject } from "../replies.js";
import { fail, ok, warn, type Finding } from "./finding.js";
import type { Subject } from "./subject.js";

/** Less free space than this is worth a word. */
const FREE_BYTES_MIN = 64 * 1_048_576;

const ELSEWHERE = "choose another directory with --data-dir DIR, or keep nothing on disk with --memory.";

export async function checkData({ dataDir, cluster, daemon }: Subject): Promise<readonly Finding[]> {
  const findings = [await checkDirectory(dataDir, daemon !== undefined)];
  if (daemon !== undefined) findings.push(...checkSaving(daemon.status));
  else if (dataDir !== undefined) findings.push(...(await checkCluster(dataDir, cluster)));
  return findings;
}

/** What the daemon says of saving. */
export function checkSaving({ storage, cluster }: Readonly<Record<string, unknown>>): readonly Finding[] {
  if (!isObject(storage)) return [];
  const { failing, stuck, damages } = storage;
  const findings: Finding[] = [];
  if (typeof failing === "string") {
    findings.push(
      fail(
        "data",
        `The daemon cannot save, and refuses writes: ${failing}.`,
        "Mend the disk, or make room on it; the daemon tries again each second, and goes on by itself.",
      ),
    );
  }
  const damaged: readonly unknown[] = Array.isArray(damages) ? damages : [];
  const unsure = damaged.filter(isObject).find(({ clusterFrom }) => clusterFrom === "option");
  if (unsure !== undefined) {
    findings.push(
      warn(
        "data",
        `${toPrintableText(String(unsure["path"]))} was damaged, so that the data directory did not say whose keys it holds.`,
        `If they are not of the cluster "${toPrintableText(String(cluster))}", stop the daemon and start it with the right --cluster.`,
      ),
    );
  }
  const stays: readonly unknown[] = Array.isArray(stuck) ? stuck : [];
  for (const { path, reason } of stays.filter(isObject)) {
    findings.push(
      warn(
        "data",
        `The daemon cannot clean ${toPrintableText(String(path))}: ${toPrintableText(String(reason))}.`,
        "Let the user of the daemon read and remove that file; until then it takes room that it need not.",
      ),
    );
  }
  return findings;
}

/** A directory that holds keys of another cluster is refused when a node starts. */
async function checkCluster(path: string, cluster: string): Promise<readonly Finding[]> {
  const its = await clusterOf(path);
  if (its === undefined || its === cluster) return [];
  const name = toPrintableText(its);
  return [
    fail(
      "data",
      `${path} holds keys of the cluster "${name}", and not of "${toPrintableText(cluster)}".`,
      `Start the node with --cluster "${name}", or ${ELSEWHERE}`,
    ),
  ];
}

/** The cluster whose keys a data directory holds, as far as it says. */
async function clusterOf(path: string): Promise<string | undefined> {
  for (const name of [ABOUT_NAME, ABOUT_COPY_NAME]) {
    // What cannot be read tells nothing; a node that starts says more.
    const about = await readAbout(path, name).catch(() => undefined);
    if (typeof about === "object") return about.cluster;
  }
  return undefined;
}

/** @param isRunning whether the directory is that of a daemon that runs */
async function checkDirectory(path: string | undefined, isRunning: boolean): Promise<Finding> {
  if (path === undefined) return ok("data", "Nothing is kept on disk (--memory).");
  if (Buffer.byteLength(join(path, "lock")) > SOCKET_PATH_BYTES_MAX) {
    return fail("data", `The path ${path} is too long.`, `Use a shorter one: ${ELSEWHERE}`);
  }
  try {
    return isRunning ? await checkSpace(path, path) : await checkUnused(path);
  } catch (error) {
    // What a daemon of another user holds is not for this user to see.
    if (isRunning) return ok("data", `${path}, which this user may not look into.`);
    return fail("data", `${path} cannot be used: ${reasonOf(error)}.`, `Mend that, or ${ELSEWHERE}`);
  }
}

async function checkUnused(path: string): Promise<Finding> {
  const existing = await nearest(path);
  if (!(await stat(existing)).isDirectory()) throw Object.assign(new Error(), { code: "ENOTDIR" });
  await access(existing, constants.R_OK | constants.W_OK | constants.X_OK);
  if (existing !== path) {
    return checkSpace(existing, `${path}, which is made when a node starts`);
  }
  if (await isAnswered(join(path, "lock"))) {
    return warn(
      "data",
      `Another lankv process uses ${path}.`,
      "If that is the daemon that is meant, name its socket with --socket PATH; if not, " + ELSEWHERE,
    );
  }
  return checkSpace(path, path);
}

/** @param shown what the finding calls the directory */
async function checkSpace(path: string, shown: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(path);
  const freeBytes = bavail * bsize;
  const free = `${String(Math.floor(freeBytes / 1_048_576))} MiB free`;
  if (freeBytes === 0) return fail("data", `${shown}: the disk is full.`, `Make room, or ${ELSEWHERE}`);
  if (freeBytes < FREE_BYTES_MIN)
    return warn("data", `${shown}: only ${free}.`, `Make room, or ${ELSEWHERE}`);
  const damaged = await findDamaged(path);
  if (damaged.length > 0) {
    return warn(
      "data",
      `${shown}: damaged files were set aside: ${damaged.join(", ")}.`,
      "What could be read of them is in use; look at the disk's health, then delete them.",
    );
  }
  return ok("data", `${shown}, ${free}.`);
}

async function findDamaged(path: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const directory of [path, join(path, "log")]) {
    const names = await readdir(directory).catch((error: unknown) => {
      if (["ENOENT", "ENOTDIR", "EACCES"].includes(codeOf(error))) return [];
      throw error;
    });
    found.push(...names.filter((name) => name.includes(".damaged-")).map((name) => join(directory, name)));
  }
  return found;
}

/** The path, or the first directory above it that exists. */
async function nearest(path: string): Promise<string> {
  for (let at = path; ; at = dirname(at)) {
    try {
      await stat(at);
      return at;
    } catch (error) {
      if (codeOf(error) !== "ENOENT" || dirname(at) === at) throw error;
    }
  }
}

async function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => {
      resolve(false);
    });
  });
}

function reasonOf(error: unknown): string {
  const reasons: Readonly<Record<string, string>> = {
    EACCES: "this user may not write there",
    EPERM: "this user may not write there",
    ENOTDIR: "a part of the path is not a directory",
    EROFS: "the file system is read-only",
  };
  return reasons[codeOf(error)] ?? (error instanceof Error ? error.message : String(error));
}
