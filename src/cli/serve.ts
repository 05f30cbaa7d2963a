/** `lankv serve`. */
import type { FsyncPolicy } from "../core/saving.js";
import { serve as openDaemon, type Daemon, type ServeOptions } from "../node/daemon.js";
import type { Node } from "../node/node.js";
import { peerStatus, statusOf } from "../node/status.js";
import { toLimits, type ClientFlags } from "./client-flags.js";
import { EXIT, type ExitCode } from "./exit.js";
import type { GlobalFlags } from "./flags.js";
import { isLevel, Log } from "./log.js";
import { toPrintableText } from "./printable.js";
import { Progress } from "./progress.js";
import { defaultSocketPath } from "./socket-path.js";
import { colorsFor } from "./terminal.js";

/** After a partition there may be many: they are counted, not listed. */
const CONFLICTS_EVERY_MS = 1_000;
/** After so long alone somebody may wonder: two nodes of one network hear each other within a second. */
const ALONE_MS = 10_000;
/** A signal that comes again so soon was not meant as another: some programs send it to the process and to its group. */
const REPEAT_MS = 200;

export interface ServeFlags extends GlobalFlags, ClientFlags {
  readonly name?: string;
  readonly cluster?: string;
  readonly dataDir?: string;
  readonly memory?: true;
  readonly fsync?: FsyncPolicy;
  readonly interface?: readonly string[];
  readonly beaconPort?: number;
  readonly peer?: readonly string[];
  readonly discovery: boolean;
  readonly port?: number;
  readonly advertise?: string;
  readonly redisPort?: number;
  readonly bind?: string;
  readonly passwordFile?: string;
  readonly protectedMode: boolean;
  readonly socketMode?: number;
  readonly logLevel?: string;
  readonly logJson?: true;
}

/** Runs until it is told to stop: by a signal, or by `lankv stop`. A second signal does not wait for the goodbye. */
export async function serve(flags: ServeFlags): Promise<ExitCode> {
  const level = flags.logLevel ?? "info";
  const log = new Log(process.stderr, {
    level: isLevel(level) ? level : "info",
    isJson: flags.logJson === true,
    colors: colorsFor(process.stderr, flags),
  });
  const daemon = await openDaemon(toOptions(flags));
  let stoppingAtMs: number | undefined;
  const stop = (signal: string): void => {
    if (stoppingAtMs !== undefined) {
      if (performance.now() - stoppingAtMs > REPEAT_MS) process.exit(EXIT.interrupted);
      return;
    }
    stoppingAtMs = performance.now();
    log.info(`stopping: ${signal}`);
    void daemon.close();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);
  announce(daemon, flags, log);
  if (daemon.passwordFile?.isOpenToOthers === true) {
    log.warn(
      `every user of this host may read the password file; mend it with 'chmod 600 ${flags.passwordFile ?? ""}'`,
    );
  }
  follow(daemon, log);
  followSolitude(daemon.node, log);
  followLoading(daemon.node, flags, log);
  try {
    await daemon.closed;
  } catch (error) {
    if (daemon.node.disk?.isFree === false) endAtOnce(error, log);
    throw error;
  }
  log.info("stopped");
  return EXIT.ok;
}

/** An exit would wait for the call of the system that the disk does not answer. */
function endAtOnce(error: unknown, log: Log): void {
  log.error(`${error instanceof Error ? error.message : String(error)} The disk does not answer; killed.`);
  process.kill(process.pid, "SIGKILL");
}

function toOptions(flags: ServeFlags): ServeOptions {
  const { name, cluster, dataDir, memory, beaconPort, discovery, port, advertise, redisPort, bind } = flags;
  return {
    ...(name === undefined ? {} : { name }),
    ...(cluster === undefined ? {} : { cluster }),
    ...(dataDir === undefined ? {} : { dataDir }),
    ...(memory === undefined ? {} : { memory }),
    ...(flags.fsync === undefined ? {} : { fsync: flags.fsync }),
    ...(flags.interface === undefined ? {} : { interfaces: flags.interface }),
    ...(beaconPort === undefined ? {} : { beaconPort }),
    ...(flags.peer === undefined ? {} : { peers: flags.peer }),
    ...(port === undefined ? {} : { port }),
    ...(advertise === undefined ? {} : { advertise }),
    ...(redisPort === undefined ? {} : { redisPort }),
    ...(bind === undefined ? {} : { bind }),
    ...(flags.passwordFile === undefined ? {} : { passwordFile: flags.passwordFile }),
    ...(flags.socketMode === undefined ? {} : { socketMode: flags.socketMode }),
    limits: toLimits(flags),
    discovery,
    protectedMode: flags.protectedMode,
    socket: flags.socket ?? defaultSocketPath(),
  };
}

/** Says who this is and where it can be reached. */
function announce(daemon: Daemon, flags: ServeFlags, log: Log): void {
  const status = statusOf(daemon.node);
  const { name, nodeId, cluster, dataDir, addresses, port, beaconPort, version } = status;
  const facts = {
    name,
    nodeId,
    cluster,
    data: dataDir ?? "in memory only",
    socket: daemon.socket,
    redis: daemon.redisAddress ?? "off",
    addresses: addresses.join(" ") || "none",
    port,
    beaconPort,
    version,
  };
  if (!process.stderr.isTTY || flags.logJson === true) {
    log.info("serving", facts);
    return;
  }
  const colors = colorsFor(process.stderr, flags);
  const lines: readonly (readonly [string, string])[] = [
    ["name", `${colors.bold(toPrintableText(name))} (${nodeId}), lankv ${version}`],
    ["cluster", toPrintableText(cluster)],
    ["data", facts.data],
    ["socket", daemon.socket],
    ["redis", facts.redis],
    ["LAN", `${toReach(addresses)} (beacons ${String(beaconPort)}, messages ${String(port)})`],
  ];
  process.stderr.write(lines.map(([label, text]) => `${colors.dim(label.padEnd(8))} ${text}\n`).join(""));
}

/** The addresses that other machines have a part in. */
function toReach(addresses: readonly string[]): string {
  const outer = addresses.filter((address) => !address.startsWith("127."));
  if (outer.length > 0) return outer.join(", ");
  return addresses.length > 0 ? "this machine only" : "no network yet";
}

/** Says how loading goes: on a terminal as it does, in the log when it is over. */
function followLoading(node: Node, flags: ServeFlags, log: Log): void {
  const progress = new Progress(
    "loaded",
    undefined,
    flags.logJson === true ? { ...flags, quiet: true } : flags,
  );
  node.on("loading", ({ share }) => {
    progress.show(node.map.values, share);
  });
  node.on("loaded", ({ records, bytes, ms, torn }) => {
    if (torn.length > 0) {
      log.info(
        "the end of the log was not written whole, and was cut off: normal after a crash or a loss of power",
        {
          bytes: torn.reduce((sum, each) => sum + each.bytes, 0),
          files: torn.map(({ path }) => path).join(" "),
        },
      );
    }
    if (records === 0) return;
    const keys = node.map.values;
    progress.show(keys, 1);
    progress.end();
    log.info("loaded", { keys, seconds: (ms / 1_000).toFixed(2), MB: (bytes / 1e6).toFixed(1) });
  });
}

/** Who starts a first node, or one that finds nobody, is told once what to do. */
function followSolitude(node: Node, log: Log): void {
  const timer = setTimeout(() => {
    log.info(
      "no other node is heard yet: start one on another machine; where one runs, 'lankv doctor' says why it is not found",
    );
  }, ALONE_MS).unref();
  node.once("peer", () => {
    clearTimeout(timer);
  });
}

/** Logs what happens to the node. */
function follow({ node }: Daemon, log: Log): void {
  node.on("damage", (damages) => {
    for (const { path, bytesLost, recordsSaved, isSetAside, isMissing, clusterFrom } of damages) {
      if (clusterFrom !== undefined) {
        const whose = {
          copy: "as its copy says",
          option: "only because this node was started so: check that",
        }[clusterFrom];
        const { cluster } = node.options;
        log.warn(
          `about.json is damaged; the keys are taken for those of cluster ${JSON.stringify(cluster)}, ${whose}`,
          { path },
        );
        continue;
      }
      if (isMissing) {
        log.warn("a file of the log was removed while the node ran; all is saved once more", {
          path,
          bytesLost,
        });
        continue;
      }
      const what = isSetAside ? "and was set aside" : "and stays where it is, as the disk takes nothing";
      log.warn(`a file of the data directory is damaged ${what}; peers send what it lacks`, {
        ...{ path, bytesLost, recordsSaved },
      });
    }
  });
  node.on("storage", (failure) => {
    if (failure === undefined) log.info("saving works again, and writes are taken");
  });
  node.on("state", (state) => {
    log.info(`state: ${state}`);
  });
  node.on("peer", (change, peer) => {
    if (change === "quiet") return;
    const { name, address, nodeId } = peerStatus(peer);
    log.info(`peer ${change}: ${name}`, { address, nodeId });
  });
  let conflicts = 0;
  let timer: NodeJS.Timeout | undefined;
  node.on("conflict", () => {
    conflicts += 1;
    timer ??= setTimeout(() => {
      log.warn(
        `${String(conflicts)} concurrent ${conflicts === 1 ? "write" : "writes"} lost; see 'lankv conflicts'`,
      );
      conflicts = 0;
      timer = undefined;
    }, CONFLICTS_EVERY_MS).unref();
  });
  node.on("error", (error) => {
    log.error(error.message);
  });
}
