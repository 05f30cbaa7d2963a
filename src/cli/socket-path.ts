/** Where the daemon's socket is unless told otherwise. */
import { statSync } from "node:fs";
import { homedir, tmpdir, userInfo } from "node:os";
import { join } from "node:path";

/** Of the service that `lankv service install` makes. */
export const SYSTEM_SOCKET_PATH = "/run/lankv/lankv.sock";

/**
 * $XDG_RUNTIME_DIR/lankv/lankv.sock; without that, /run/lankv for root and a directory of the user's in the
 * temporary one for others. On macOS it is in the user's Library, on Windows it is a named pipe.
 */
export function defaultSocketPath(env: NodeJS.ProcessEnv = process.env): string {
  if (process.platform === "win32") return `\\\\.\\pipe\\lankv-${userInfo().username}`;
  const runtimeDir = env["XDG_RUNTIME_DIR"];
  if (runtimeDir !== undefined && runtimeDir !== "") return join(runtimeDir, "lankv", "lankv.sock");
  if (process.platform === "darwin") return join(homedir(), "Library", "Caches", "lankv", "lankv.sock");
  const uid = process.getuid?.() ?? 0;
  return uid === 0 ? SYSTEM_SOCKET_PATH : join(tmpdir(), `lankv-${String(uid)}`, "lankv.sock");
}

/** Where commands look for a daemon: where this user's would be and, when nothing is there, where the service's is. */
export function socketPathOfDaemon(
  env: NodeJS.ProcessEnv = process.env,
  system = SYSTEM_SOCKET_PATH,
): string {
  const own = defaultSocketPath(env);
  return process.platform === "linux" && !isThere(own) && isThere(system) ? system : own;
}

/** A socket in a directory that this user may not enter is there, too: connecting then says what lacks. */
function isThere(path: string): boolean {
  try {
    return statSync(path).isSocket();
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EACCES";
  }
}
