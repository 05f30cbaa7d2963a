/**
 * The data directory: who this node is, and that only one process is it.
 *
 *     node-id   16 hexadecimal digits and a newline
 *     lock      a unix socket that the owner listens on
 */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";
import { LankvError } from "../core/error.js";
import type { NodeId } from "../core/message.js";
import { claimSocket, codeOf, SOCKET_PATH_BYTES_MAX } from "../net/claim-socket.js";

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
      await mkdir(path, { recursive: true, mode: 0o700 });
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
    const path = join(this.path, "node-id");
    try {
      await writeFile(`${path}.new`, `${nodeId}\n`, { mode: 0o600, flush: true });
      await rename(`${path}.new`, path);
    } catch (cause) {
      throw unusable(this.path, cause);
    }
  }

  /** Gives the directory up. */
  async close(): Promise<void> {
    await new Promise((resolve) => this.#lock.close(resolve));
  }
}

function unusable(path: string, cause: unknown): LankvError {
  const reasons: Readonly<Record<string, string>> = {
    EACCES: "this user may not write there",
    EDQUOT: "the disk quota is used up",
    ENOSPC: "the disk is full",
    ENOTDIR: "a part of the path is not a directory",
    EEXIST: "it is not a directory, or what is named lock in it is not lankv's",
    EPERM: "this user may not write there",
    EROFS: "the file system is read-only",
  };
  const reason = reasons[codeOf(cause)] ?? String(cause);
  return new LankvError(
    "LANKV_DATA_DIR",
    `The data directory ${path} cannot be used: ${reason}. Choose another with --data-dir DIR, or keep nothing ` +
      "on disk with --memory.",
    { cause },
  );
}
