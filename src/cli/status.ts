/** `lankv status`, `lankv wait`, `lankv stop`, `lankv conflicts`. */
import { setTimeout as pause } from "node:timers/promises";
import ms from "ms";
import { LankvError } from "../core/error.js";
import { codeOf } from "../net/claim-socket.js";
import { REPLY_MS } from "./client.js";
import { withLoadingDaemon } from "./connect.js";
import { EXIT, type ExitCode } from "./exit.js";
import type { GlobalFlags } from "./flags.js";
import { toPrintableLine, toPrintableText } from "./printable.js";
import { isObject, toObject, toObjects, toText } from "./replies.js";
import { colorsFor, toTable, type Colors } from "./terminal.js";

const WAIT_MS = 30_000;
/** How often a daemon that is not there yet is looked for. */
const LOOK_EVERY_MS = 100;
/** How long a daemon may take to say goodbye. */
const STOP_MS = 30_000;

export interface WaitFlags extends GlobalFlags {
  readonly peers?: number;
  readonly synced?: true;
}

export function status(flags: GlobalFlags): Promise<ExitCode> {
  return withLoadingDaemon(flags, async (client) => {
    const reply = await client.call("LANKV.STATUS");
    process.stdout.write(flags.json === true ? `${toText(reply)}\n` : toSheet(toObject(reply), flags));
    return EXIT.ok;
  });
}

export function wait(flags: WaitFlags): Promise<ExitCode> {
  const waitMs = flags.timeout ?? WAIT_MS;
  // What it took to get there is not counted where the daemon was there at once.
  const once = (leftMs: number): Promise<ExitCode> =>
    withLoadingDaemon({ ...flags, timeout: REPLY_MS }, async (client) => {
      client.allow(waitMs + REPLY_MS);
      await client.call("LANKV.WAIT", flags.peers ?? 0, flags.synced === true ? 1 : 0, leftMs);
      return EXIT.ok;
    });
  return whenThere(once, waitMs);
}

/** A daemon that is being started has no socket yet, or one that nobody listens on. */
async function whenThere(once: (leftMs: number) => Promise<ExitCode>, waitMs: number): Promise<ExitCode> {
  const untilMs = performance.now() + waitMs;
  for (let leftMs = waitMs; ; leftMs = Math.max(0, Math.ceil(untilMs - performance.now()))) {
    try {
      return await once(leftMs);
    } catch (error) {
      const { cause } = error instanceof LankvError ? error : {};
      const isAbsent = ["ENOENT", "ECONNREFUSED"].includes(codeOf(cause));
      if (!isAbsent || performance.now() + LOOK_EVERY_MS > untilMs) throw error;
    }
    await pause(LOOK_EVERY_MS);
  }
}

export function stop(flags: GlobalFlags): Promise<ExitCode> {
  return withLoadingDaemon(flags, async (client) => {
    client.allow(flags.timeout ?? STOP_MS);
    await client.call("SHUTDOWN");
    await client.ended(flags.timeout ?? STOP_MS);
    if (flags.quiet !== true) process.stderr.write("lankv: the daemon has ended\n");
    return EXIT.ok;
  });
}

export function conflicts(flags: GlobalFlags): Promise<ExitCode> {
  return withLoadingDaemon(flags, async (client) => {
    const reply = await client.call("LANKV.CONFLICTS");
    if (flags.json === true) {
      process.stdout.write(`${toText(reply)}\n`);
      return EXIT.ok;
    }
    const rows = toObjects(reply).map(({ key, keyBase64, foundAt, winner, loser }) => [
      new Date(Number(foundAt)).toISOString(),
      toShown(key, keyBase64),
      toSide(winner),
      toSide(loser),
    ]);
    process.stdout.write(
      rows.length === 0 ? "no conflicts\n" : `${await toTable(["FOUND", "KEY", "KEPT", "LOST"], rows)}\n`,
    );
    return EXIT.ok;
  });
}

function toSheet(status: Readonly<Record<string, unknown>>, flags: GlobalFlags): string {
  const colors = colorsFor(process.stdout, flags);
  const text = (name: string): string => toPrintableText(String(status[name]));
  const state = status["state"] === "live" ? colors.green("live") : colors.yellow(text("state"));
  const addresses: unknown = status["addresses"];
  const correction = Number(status["clockCorrectionMs"]);
  const lines: readonly (readonly [string, string])[] = [
    ["node", `${text("name")} (${text("nodeId")})`],
    ["cluster", text("cluster")],
    ["state", `${state}, ${status["synced"] === true ? "synced" : colors.yellow("not synced")}`],
    ["peers", text("peers")],
    ["keys", `${text("keys")} (${text("bytes")} bytes)${toLoading(status["loading"])}`],
    ["root", text("root")],
    ["conflicts", text("conflicts")],
    ["addresses", Array.isArray(addresses) ? addresses.join(", ") : ""],
    ["ports", `beacons ${text("beaconPort")}, messages ${text("port")}`],
    ["data", status["dataDir"] === null ? "in memory only" : text("dataDir")],
    ...storageLines(status["storage"], colors),
    ["up", ms(Number(status["uptimeMs"]))],
    ["version", text("version")],
    ...(correction === 0 ? [] : [["clock", colors.yellow(`corrected by ${ms(correction)}`)] as const]),
  ];
  return lines.map(([name, value]) => `${colors.dim(name.padEnd(10))} ${value}\n`).join("");
}

function toLoading(loading: unknown): string {
  return isObject(loading)
    ? `, loading from disk: ${String(Math.floor(Number(loading["share"]) * 100))} %`
    : "";
}

function storageLines(storage: unknown, colors: Colors): (readonly [string, string])[] {
  if (!isObject(storage)) return [];
  const { bytes, unsaved, fsync, failing, damages, stuck } = storage;
  const disk = `${String(bytes)} bytes, ${String(unsaved)} keys to save, fsync ${String(fsync)}`;
  const damaged: readonly unknown[] = Array.isArray(damages) ? damages : [];
  const stays: readonly unknown[] = Array.isArray(stuck) ? stuck : [];
  return [
    ["disk", disk],
    ...(typeof failing !== "string"
      ? []
      : [["", colors.red(`writes are refused: ${toPrintableText(failing)}`)] as const]),
    ...damaged.filter(isObject).map(({ path, bytesLost, isMissing, clusterFrom }) => {
      const shown = toPrintableText(String(path));
      if (clusterFrom === "option")
        return ["", colors.yellow(`the cluster is not sure: ${shown} was damaged`)] as const;
      const lost =
        isMissing === true
          ? `${shown} is gone, and all was saved once more`
          : `${String(bytesLost)} bytes could not be read, see ${shown}`;
      return ["", colors.yellow(lost)] as const;
    }),
    ...stays.filter(isObject).map(({ path, reason }) => {
      const shown = `${toPrintableText(String(path))} cannot be cleaned: ${toPrintableText(String(reason))}`;
      return ["", colors.yellow(shown)] as const;
    }),
  ];
}

function toSide(side: unknown): string {
  if (!isObject(side)) return "";
  if (side["deleted"] === true) return "deleted";
  const shown = toShown(side["value"], side["valueBase64"]);
  return shown.length > 40 ? `${shown.slice(0, 39)}…` : shown;
}

function toShown(text: unknown, base64: unknown): string {
  return toPrintableLine(
    typeof text === "string" ? Buffer.from(text) : Buffer.from(String(base64), "base64"),
  );
}
