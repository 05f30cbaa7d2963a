/**
 * Claims a unix socket path for a server.
 *
 * The socket is also the lock: the kernel knows whether somebody listens, through containers and process
 * namespaces alike, where a file with a process id would lie. A file that nobody listens on was left by a
 * killed process and is replaced. Only such a file: whatever else is in the way stays. Two processes that find it at
 * once must not both replace it, so replacing it is guarded by a directory, which only one of them can make.
 */
import { lstat, mkdir, rmdir, unlink } from "node:fs/promises";
import { connect, type Server } from "node:net";

/** The longest path that a unix socket can have, in bytes. */
export const SOCKET_PATH_BYTES_MAX = 107;

/** A guard this old was left by a process that was killed while it replaced a file, which takes milliseconds. */
const GUARD_MS_MAX = 10_000;

/**
 * Makes the server listen at the path.
 * @returns false when another process listens there, or is about to
 * @throws what the system says when the path cannot be used at all; EEXIST when something else than a socket is there
 */
export async function claimSocket(server: Server, path: string): Promise<boolean> {
  if (await listens(server, path)) return true;
  if (await isAnswered(path)) return false;
  await checkSocket(path);
  const guard = `${path}.guard`;
  if (!(await makeGuard(guard))) return false;
  try {
    if (await isAnswered(path)) return false;
    await unlink(path).catch((error: unknown) => {
      if (codeOf(error) !== "ENOENT") throw error;
    });
    return await listens(server, path);
  } finally {
    await rmdir(guard);
  }
}

async function makeGuard(path: string): Promise<boolean> {
  try {
    const { mtimeMs } = await lstat(path);
    if (Date.now() - mtimeMs > GUARD_MS_MAX) await rmdir(path);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
  }
  try {
    await mkdir(path);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

async function checkSocket(path: string): Promise<void> {
  const stats = await lstat(path).catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  });
  if (stats?.isSocket() === false) {
    throw Object.assign(new Error(`${path} is there already, and not a socket`), { code: "EEXIST" });
  }
}

async function listens(server: Server, path: string): Promise<boolean> {
  return new Promise<boolean>((resolve, reject) => {
    const onError = (error: Error): void => {
      if (codeOf(error) === "EADDRINUSE") resolve(false);
      else reject(error);
    };
    server.once("error", onError);
    server.listen(path, () => {
      server.off("error", onError);
      resolve(true);
    });
  });
}

async function isAnswered(path: string): Promise<boolean> {
  return new Promise<boolean>((resolve, reject) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", (error) => {
      // Anything else, such as a full queue of a stopped process, does not say that nobody listens.
      if (["ECONNREFUSED", "ENOENT", "ENOTSOCK"].includes(codeOf(error))) resolve(false);
      else if (codeOf(error) === "EAGAIN") resolve(true);
      else reject(error);
    });
  });
}

/** What Node.js says for errors of Linux that it has no name for. */
const UNNAMED: Readonly<Record<string, string>> = { "Unknown system error -122": "EDQUOT" };

/** The system's name of an error, such as "EACCES"; "" when it has none. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error && "code" in error && typeof error.code === "string")) return "";
  return UNNAMED[error.code] ?? error.code;
}
