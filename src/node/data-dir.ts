/**
 * The data directory: who this node is, and that only one process is it.
 *
 *     node-id      16 hexadecimal digits and a newline
 *     lock         a unix socket that the owner listens on
 *     about.json   the format of the directory, and whose keys it holds: see about.ts; about.json.copy is the same
 *     log          the records; see src/storage
 *     reserve      zeros, whose room cleaning takes when the disk is full
 */
import { readFile, stat } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import createDebug from "debug";
import { LankvError } from "../core/error.js";
import type { NodeId } from "../core/message.js";
import { claimSocket, codeOf, SOCKET_PATH_BYTES_MAX } from "../net/claim-socket.js";
import { makeDirectory } from "../storage/directory.js";
import { listSegments, syncDirectory } from "../storage/segment.js";
import { setAside } from "../storage/set-aside.js";
import { ABOUT_COPY_NAME, ABOUT_NAME, DATA_FORMAT, readAbout, writeAbout, type About } from "./about.js";
import type { DamageStatus } from "./lankv.js";
import { reasonOf } from "./reasons.js";
import { replaceFile } from "./replace-file.js";

const debug = createDebug("lankv:node");

/** The directory of the records within the data directory. */
export const LOG_NAME = "log";
/** The room that is kept for cleaning the log when the disk is full. */
export const RESERVE_NAME = "reserve";
/** The log of a backup that is being made, or was not finished. */
export const UNFINISHED_NAME = "log.partial";

/**
 * Where a node keeps its state unless told otherwise: $XDG_STATE_HOME/lankv, for root /var/lib/lankv; on macOS
 * ~/Library/Application Support/lankv, on Windows %LOCALAPPDATA%\lankv.
 */
export function defaultDataDir(env: NodeJS.ProcessEnv = process.env): string {
  if (process.platform === "win32")
    return join(env["LOCALAPPDATA"] ?? join(homedir(), "AppData", "Local"), "lankv");
  if (process.platform === "darwin") return join(homedir(), "Library", "Application Support", "lankv");
  if (process.getuid?.() === 0) return "/var/lib/lankv";
  return join(env["XDG_STATE_HOME"] ?? join(homedir(), ".local", "state"), "lankv");
}

export class DataDir {
  readonly path: string;
  readonly #lock: Server;
  readonly #damages: DamageStatus[] = [];

  private constructor(path: string, lock: Server) {
    this.path = path;
    this.#lock = lock;
  }

  /**
   * Makes the directory if need be and claims it.
   * @throws {LankvError} LANKV_IN_USE: another process has it; LANKV_DATA_DIR: it cannot be used
   */
  static async open(path: string): Promise<DataDir> {
    const lockPath = join(path, "lock");
    if (Buffer.byteLength(lockPath) > SOCKET_PATH_BYTES_MAX) {
      throw new LankvError(
        "LANKV_DATA_DIR",
        `The data directory's path is too long: ${path} has ${String(Buffer.byteLength(path))} bytes, at most ` +
          `${String(SOCKET_PATH_BYTES_MAX - "/lock".length)} fit. Choose a shorter one with --data-dir.`,
      );
    }
    const lock = createServer();
    let isClaimed: boolean;
    try {
      await makeDurably(path);
      isClaimed = await claimSocket(lock, lockPath);
    } catch (cause) {
      throw unusable(path, cause);
    }
    if (!isClaimed) {
      throw new LankvError(
        "LANKV_IN_USE",
        `Another lankv process uses the data directory ${path}. ` +
          "Stop it with 'lankv stop', or give this one its own with --data-dir DIR (or --memory).",
      );
    }
    lock.unref();
    return new DataDir(path, lock);
  }

  /** What was found damaged beside the records. */
  get damages(): readonly DamageStatus[] {
    return this.#damages;
  }

  /** The node id kept here, or undefined when there is none yet. */
  async readNodeId(): Promise<NodeId | undefined> {
    const path = join(this.path, "node-id");
    try {
      const text = (await readFile(path, "latin1")).trim();
      // Anything else is a file cut short by a power failure: a fresh id harms nobody.
      return /^[0-9a-f]{16}$/.test(text) ? text : undefined;
    } catch (cause) {
      if (codeOf(cause) === "ENOENT") return undefined;
      throw unusable(this.path, cause);
    }
  }

  async writeNodeId(nodeId: NodeId): Promise<void> {
    await this.#write("node-id", `${nodeId}\n`);
  }

  /**
   * Makes sure that the directory is of a format that this version knows and holds keys of this cluster; a new one becomes so.
   * What it says of itself is there twice: a damaged one is set aside, and made again from the other; see
   * {@link DataDir.damages}. When nothing sound is left of it, who starts the node has to say the cluster.
   * @param isNamed whether somebody said so, or it is the default
   * @throws {LankvError} LANKV_DATA_FORMAT, LANKV_DATA_CLUSTER, LANKV_DATA_DIR
   */
  async claimFor(cluster: string, isNamed: boolean): Promise<void> {
    if (await exists(join(this.path, UNFINISHED_NAME))) {
      throw new LankvError(
        "LANKV_DATA_DIR",
        `The data directory ${this.path} holds a backup that was not finished: make it again with ` +
          `'lankv backup ${this.path}', or remove ${UNFINISHED_NAME} to start without its keys.`,
      );
    }
    const [first, second] = [await this.#readAbout(ABOUT_NAME), await this.#readAbout(ABOUT_COPY_NAME)];
    const known = [first, second].find((each) => typeof each === "object");
    const isDamaged = first === "damaged" || second === "damaged";
    if (known !== undefined) this.#check(known, cluster);
    else if (isDamaged && !isNamed && (await this.#holdsRecords())) {
      throw new LankvError(
        "LANKV_DATA_CLUSTER",
        `The data directory ${this.path} does not say any more whose keys it holds: ${ABOUT_NAME} is damaged. ` +
          `Start this node with the cluster that it is of: --cluster ${JSON.stringify(cluster)}, unless another one was named.`,
      );
    }
    const clusterFrom = known === undefined ? "option" : "copy";
    if (first === "damaged") await this.#setAside(ABOUT_NAME, clusterFrom);
    if (second === "damaged") await this.#setAside(ABOUT_COPY_NAME, clusterFrom);
    if (typeof first !== "object") await this.#writeAbout(ABOUT_NAME, cluster);
    if (typeof second === "object" && second.cluster === cluster) return;
    // It is no reason not to serve that a disk is full, or read-only: the next start makes the copy.
    await this.#writeAbout(ABOUT_COPY_NAME, cluster).catch((error: unknown) => {
      debug("%s: %O", ABOUT_COPY_NAME, error);
    });
  }

  #check({ format, cluster: its }: About, cluster: string): void {
    if (format > DATA_FORMAT) {
      throw new LankvError(
        "LANKV_DATA_FORMAT",
        `The data directory ${this.path} has format ${String(format)}, of a newer lankv; this one reads up to ` +
          `${String(DATA_FORMAT)}. Install the newer version again, or choose another directory with --data-dir DIR.`,
      );
    }
    if (its !== cluster) {
      throw new LankvError(
        "LANKV_DATA_CLUSTER",
        `The data directory ${this.path} holds keys of the cluster ${JSON.stringify(its)}, and this ` +
          `node is to be of ${JSON.stringify(cluster)}. Start it with --cluster ${JSON.stringify(its)}, or choose another directory with --data-dir DIR.`,
      );
    }
  }

  async #holdsRecords(): Promise<boolean> {
    const segments = await listSegments(join(this.path, LOG_NAME)).catch((cause: unknown) => {
      if (codeOf(cause) === "ENOENT") return [];
      throw unusable(this.path, cause);
    });
    return segments.length > 0;
  }

  async #setAside(name: string, clusterFrom: "copy" | "option"): Promise<void> {
    const path = join(this.path, name);
    const { size } = await stat(path);
    const aside = await setAside(path);
    const isSetAside = aside !== undefined;
    this.#damages.push({
      ...{ path: aside ?? path, bytesLost: size, recordsSaved: 0, isSetAside, isMissing: false },
      clusterFrom,
    });
  }

  async #readAbout(name: string): Promise<About | "damaged" | undefined> {
    try {
      return await readAbout(this.path, name);
    } catch (cause) {
      throw unusable(this.path, cause);
    }
  }

  async #writeAbout(name: string, cluster: string): Promise<void> {
    try {
      await writeAbout(this.path, name, cluster);
    } catch (cause) {
      throw unusable(this.path, cause);
    }
  }

  async #write(name: string, text: string): Promise<void> {
    try {
      await replaceFile(join(this.path, name), text);
    } catch (cause) {
      throw unusable(this.path, cause);
    }
  }

  /** Gives the directory up. */
  async close(): Promise<void> {
    await new Promise((resolve) => this.#lock.close(resolve));
  }
}

/**
 * Makes a directory, and its name durable, lest a loss of power takes it away with all that is in it. Also when it is there:
 * a process that made it may have been killed before it came so far.
 */
async function makeDurably(path: string): Promise<void> {
  const made = await makeDirectory(path);
  for (const each of new Set([...made, resolve(path)])) {
    try {
      await syncDirectory(dirname(each));
    } catch (error) {
      // Who may not read the directory above cannot sync it, and has not made this one just now. And a
      // file system such as /proc, which has nothing to sync, can have another one mounted here.
      const isOld = !made.includes(each);
      const harmless = ["EACCES", "EPERM", ...(isOld ? ["EINVAL", "ENOTSUP"] : [])];
      if (!harmless.includes(codeOf(error))) throw error;
    }
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function unusable(path: string, cause: unknown): LankvError {
  const reason = reasonOf(cause, {
    EEXIST: "it is not a directory, or what is named lock in it is not lankv's",
  });
  return new LankvError(
    "LANKV_DATA_DIR",
    `The data directory ${path} cannot be used: ${reason}. Choose another with --data-dir DIR, or keep nothing ` +
      "on disk with --memory.",
    { cause },
  );
}
