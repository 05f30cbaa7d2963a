/** Where the daemon's socket is unless told otherwise. */
import { homedir, tmpdir, userInfo } from "node:os";
import { join } from "node:path";

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
  return uid === 0 ? "/run/lankv/lankv.sock" : join(tmpdir(), `lankv-${String(uid)}`, "lankv.sock");
}
