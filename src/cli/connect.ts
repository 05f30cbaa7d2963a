/** Finds the daemon that the flags name, and says what to do when nobody is there. */
import type { NetConnectOpts } from "node:net";
import { LankvError } from "../core/error.js";
import { Client, REPLY_MS } from "./client.js";
import { EXIT, Failure } from "./exit.js";
import type { GlobalFlags } from "./flags.js";
import { defaultSocketPath } from "./socket-path.js";

const REDIS_PORT = 7379;

interface Target {
  readonly options: NetConnectOpts;
  readonly shown: string;
  /** What AUTH is called with: nothing, a password, or a user and a password. */
  readonly credentials: readonly string[];
}

/** @throws {LankvError} LANKV_NO_DAEMON, LANKV_TIMEOUT, LANKV_PASSWORD */
export async function connectToDaemon(flags: GlobalFlags): Promise<Client> {
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

/** Runs `use` with a connection that ends with it. */
export async function withDaemon<T>(flags: GlobalFlags, use: (client: Client) => Promise<T>): Promise<T> {
  const client = await connectToDaemon(flags);
  try {
    return await use(client);
  } finally {
    client.close();
  }
}

function toTarget({ url, socket = defaultSocketPath() }: GlobalFlags): Target {
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
