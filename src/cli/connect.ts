/** Finds the daemon that the flags name, and says what to do when nobody is there. */
import type { NetConnectOpts } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { LankvError } from "../core/error.js";
import { Client, LoadingError, REPLY_MS } from "./client.js";
import { EXIT, Failure } from "./exit.js";
import type { GlobalFlags } from "./flags.js";
import { socketPathOfDaemon, SYSTEM_SOCKET_PATH } from "./socket-path.js";

const REDIS_PORT = 7379;

interface Target {
  readonly options: NetConnectOpts;
  readonly shown: string;
  /** What AUTH is called with: nothing, a password, or a user and a password. */
  readonly credentials: readonly string[];
}

/** How often a daemon that loads its keys is asked whether it has. */
const LOADING_LOOK_MS = 50;

/**
 * Connects, and waits until the daemon has loaded its keys.
 * @throws {LankvError} LANKV_NO_DAEMON, LANKV_TIMEOUT, LANKV_PASSWORD
 */
export async function connectToDaemon(flags: GlobalFlags): Promise<Client> {
  const client = await connectToAny(flags);
  try {
    await loaded(client, flags.timeout ?? REPLY_MS);
    return client;
  } catch (error) {
    client.close();
    throw error;
  }
}

/** @throws {LankvError} LANKV_TIMEOUT: it has not loaded its keys in time */
async function loaded(client: Client, timeoutMs: number): Promise<void> {
  const untilMs = performance.now() + timeoutMs;
  for (;;) {
    try {
      await client.call("PING");
      return;
    } catch (error) {
      if (!(error instanceof LoadingError)) throw error;
      if (performance.now() >= untilMs) {
        throw new LankvError(
          "LANKV_TIMEOUT",
          `The daemon is still loading its keys from disk after ${String(timeoutMs)} ms. See with 'lankv status' how far ` +
            "it is, or give it longer with --timeout.",
          { cause: error },
        );
      }
      await sleep(LOADING_LOOK_MS);
    }
  }
}

/** Connects to a daemon that may be loading its keys yet. */
async function connectToAny(flags: GlobalFlags): Promise<Client> {
  const { options, shown, credentials } = toTarget(flags);
  let client: Client;
  try {
    client = await Client.connect(options, flags.timeout ?? REPLY_MS);
  } catch (cause) {
    if (cause instanceof LankvError) throw cause;
    throw new LankvError("LANKV_NO_DAEMON", whyNot(shown, cause), { cause });
  }
  try {
    if (credentials.length > 0) await client.call("AUTH", ...credentials);
    return client;
  } catch (error) {
    client.close();
    throw error;
  }
}

/** Runs `use` with a connection that ends with it, to a daemon that has loaded its keys. */
export async function withDaemon<T>(flags: GlobalFlags, use: (client: Client) => Promise<T>): Promise<T> {
  return withClient(await connectToDaemon(flags), use);
}

/** As `withDaemon`, also with a daemon that is loading its keys: it tells about itself and its peers, and ends. */
export async function withLoadingDaemon<T>(
  flags: GlobalFlags,
  use: (client: Client) => Promise<T>,
): Promise<T> {
  return withClient(await connectToAny(flags), use);
}

async function withClient<T>(client: Client, use: (client: Client) => Promise<T>): Promise<T> {
  try {
    return await use(client);
  } finally {
    client.close();
  }
}

function toTarget({ url, socket = socketPathOfDaemon() }: GlobalFlags): Target {
  if (url === undefined) return { options: { path: socket }, shown: socket, credentials: [] };
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol !== "redis:" || parsed.hostname === "") {
    throw new Failure(EXIT.usage, `--url must be redis://[:PASSWORD@]HOST:PORT, not ${url}`);
  }
  const port = parsed.port === "" ? REDIS_PORT : Number(parsed.port);
  const host = parsed.hostname.replace(/^\[|\]$/g, "");
  return {
    options: { host, port, noDelay: true },
    shown: `${parsed.hostname}:${String(port)}`,
    credentials: toCredentials(parsed),
  };
}

function toCredentials({ username, password }: URL): readonly string[] {
  if (password === "") return [];
  try {
    return [username, password].filter((part) => part !== "").map((part) => decodeURIComponent(part));
  } catch (cause) {
    throw new Failure(EXIT.usage, "--url must have each % of its password written as %25", { cause });
  }
}

function whyNot(shown: string, cause: unknown): string {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  if (code === "EACCES" || code === "EPERM") {
    if (shown === SYSTEM_SOCKET_PATH) {
      return `This user may not connect to the service at ${shown}. Join its group with 'sudo usermod -aG lankv $USER' and log in anew, or use sudo.`;
    }
    return `This user may not connect to ${shown}. Run as the user that runs the daemon, or name another with --socket.`;
  }
  const reason =
    code === "ENOENT"
      ? "there is no such socket"
      : code === "ECONNREFUSED"
        ? "nobody listens"
        : cause instanceof Error
          ? cause.message
          : String(cause);
  return `No daemon at ${shown}: ${reason}. Start one with 'lankv serve', or name another with --socket or --url.`;
}
