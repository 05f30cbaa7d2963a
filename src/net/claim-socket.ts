/**
 * Claims a unix socket path for a server.
 *
 * The socket is also the lock: the kernel knows whether somebody listens, through containers and process
 * namespaces alike, where a file with a process id would lie. A file that nobody listens on was left by a
 * killed process and is replaced.
 */
import { unlink } from "node:fs/promises";
import { connect, type Server } from "node:net";

/** The longest path that a unix socket can have, in bytes. */
export const SOCKET_PATH_BYTES_MAX = 107;

/**
 * Makes the server listen at the path.
 * @returns false when another process listens there
 * @throws what the system says when the path cannot be used at all
 */
export async function claimSocket(server: Server, path: string): Promise<boolean> {
  if (await listens(server, path)) return true;
  if (await isAnswered(path)) return false;
  await unlink(path).catch((error: unknown) => {
    if (codeOf(error) !== "ENOENT") throw error;
  });
  return listens(server, path);
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
  return new Promise<boolean>((resolve) => {
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

/** The system's name of an error, such as "EACCES"; "" when it has none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}
