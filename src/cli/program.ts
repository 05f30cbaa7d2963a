/**
 * The command line: every command with its arguments and flags. What a command does is in a file of its own,
 * which is loaded when it is chosen.
 */
import { Command } from "commander";
import { FSYNC_POLICIES } from "../core/saving.js";
import { software } from "../node/software.js";
import { clientOptions } from "./client-flags.js";
import type { ExitCode } from "./exit.js";
import {
  flag,
  readAddend,
  readCount,
  readCountFromOne,
  readLife,
  readLifeOrNone,
  readMode,
  readList,
  readPort,
  readPortOrNone,
  readTimeout,
  type GlobalFlags,
} from "./flags.js";
import type { DelFlags } from "./del.js";
import { doctorOptions, type DoctorFlags } from "./doctor/flags.js";
import type { ExportFlags } from "./export.js";
import type { GetFlags } from "./get.js";
import type { ImportFlags } from "./import.js";
import type { LsFlags } from "./ls.js";
import type { PeersFlags } from "./peers.js";
import { addService } from "./service-commands.js";
import type { ServeFlags } from "./serve.js";
import type { SetFlags } from "./set.js";
import type { WaitFlags } from "./status.js";
import type { WatchFlags } from "./watch.js";

/** @param onEnd called with the exit code of the command that ran */
export function toProgram(onEnd: (code: ExitCode) => void): Command {
  const program = new Command("lankv")
    .description("A key-value store that every host on a LAN shares.")
    .version(software, "--version", "print the version")
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      outputError: (text, write) => {
        write(text.replace(/^error: /, "lankv: "));
      },
    });
  const end = async (code: Promise<ExitCode> | ExitCode): Promise<void> => {
    onEnd(await code);
  };
  for (const option of globalOptions()) program.addOption(option);
  const serve = addServe(program, end);
  addKeyCommands(program, end);
  addNodeCommands(program, end);
  addDoctor(program, end);
  addService(program, serve, end);
  pointToHelp(program);
  return program;
}

/** Where the flags and arguments of a command are told. */
export function helpOf(command: Command): string {
  const names: string[] = [];
  for (let each: Command | null = command; each !== null; each = each.parent) names.unshift(each.name());
  return `See '${names.join(" ")} --help'.`;
}

/** A mistake in a command line is followed by where to look, of the command that it was made in. */
function pointToHelp(command: Command): void {
  command.showHelpAfterError(helpOf(command));
  for (const each of command.commands) pointToHelp(each);
}

type End = (code: Promise<ExitCode> | ExitCode) => Promise<void>;

function globalOptions() {
  return [
    flag(
      "-s, --socket <path>",
      "the daemon's unix socket (default: $XDG_RUNTIME_DIR/lankv/lankv.sock, then the service's)",
    ),
    flag("--url <url>", "reach the daemon by TCP: redis://[:PASSWORD@]HOST:PORT"),
    flag("--json", "print JSON"),
    flag("-q, --quiet", "say nothing that is not asked for"),
    flag("-v, --verbose", "say more about errors"),
    flag("--no-color", "no colours"),
    flag("--timeout <duration>", "wait so long for the daemon (default: 5s)", readTimeout),
  ];
}

function addServe(program: Command, end: End): Command {
  const serve = program
    .command("serve")
    .summary("run a node in the foreground")
    .description("Runs a node in the foreground. Interrupt it, or 'lankv stop', to end it.")
    .addOption(flag("--name <name>", "name of this node (default: the host's)"))
    .addOption(flag("--cluster <name>", "only nodes of the same cluster see each other (default: default)"))
    .addOption(
      flag("--data-dir <dir>", "directory for the node's identity and keys (default: the platform's)"),
    )
    .addOption(flag("--memory", "keep nothing on disk"))
    .addOption(
      flag("--fsync <when>", "when writes survive a loss of power (default: everysec)").choices(
        FSYNC_POLICIES,
      ),
    )
    .addOption(flag("--interface <name...>", "use only these network interfaces", readList))
    .addOption(
      flag(
        "--beacon-port <port>",
        "UDP port of the beacons, the same on all nodes (default: 5005)",
        readPort,
      ),
    )
    .addOption(flag("--peer <host...>", "beacon to these hosts too: HOST[:PORT]", readList))
    .addOption(flag("--no-discovery", "beacon to no network, only to --peer"))
    .addOption(flag("--port <port>", "TCP port for messages between nodes (default: a free one)", readPort))
    .addOption(flag("--advertise <host>", "address that peers connect to"))
    .addOption(
      flag("--redis-port <port>", "TCP port for Redis clients, 0 = off (default: 7379)", readPortOrNone),
    )
    .addOption(
      flag(
        "--bind <address>",
        "address of --redis-port, loopback unless with a password (default: 127.0.0.1)",
      ),
    )
    .addOption(
      flag("--password-file <file>", "its first line is the password for --redis-port (default: none)"),
    )
    .addOption(flag("--no-protected-mode", "let --bind leave loopback without a password"));
  for (const option of clientOptions()) serve.addOption(option);
  return serve
    .addOption(
      flag("--socket-mode <mode>", "who may use the socket: 600, 660 or 666 (default: 600)", readMode),
    )
    .addOption(
      flag("--log-level <level>", "what to log (default: info)").choices(["error", "warn", "info", "debug"]),
    )
    .addOption(flag("--log-json", "log in JSON, one line each"))
    .action(async (_flags: unknown, command: Command) => {
      const { serve: run } = await import("./serve.js");
      await end(run(command.optsWithGlobals<ServeFlags>()));
    });
}

function addKeyCommands(program: Command, end: End): void {
  program
    .command("get <key>")
    .summary("print a value")
    .description("Prints a value. A missing key is asked of the peers for --timeout (default: 1s).")
    .addOption(flag("--raw", "the exact bytes, also to a terminal"))
    .addOption(flag("-o, --output <file>", "write it to a file"))
    .addOption(flag("--meta", "print version, origin and times instead"))
    .action(async (key: string, _flags: unknown, command: Command) => {
      const { get } = await import("./get.js");
      await end(get(key, command.optsWithGlobals<GetFlags>()));
    });
  program
    .command("set <key> [value]")
    .summary("write a value")
    .description("Writes a value: the text itself, - or nothing for standard input, or @FILE.")
    .addOption(flag("--ttl <duration>", "it expires after so long", readLife))
    .addOption(flag("--nx", "only if the key is missing").conflicts("xx"))
    .addOption(flag("--xx", "only if the key exists"))
    .addOption(flag("--if-version <version>", "only if the key has this version"))
    .action(async (key: string, value: string | undefined, _flags: unknown, command: Command) => {
      const { set } = await import("./set.js");
      await end(set(key, value, command.optsWithGlobals<SetFlags>()));
    });
  program
    .command("del [keys...]")
    .summary("delete keys")
    .addOption(flag("--prefix <prefix>", "delete all keys that start so"))
    .addOption(flag("-f, --force", "do not ask"))
    .action(async (keys: string[], _flags: unknown, command: Command) => {
      const { del } = await import("./del.js");
      await end(del(keys, command.optsWithGlobals<DelFlags>()));
    });
  program
    .command("exists <key>")
    .summary("exit with 0 if a key exists, 3 if not")
    .action(async (key: string, _flags: unknown, command: Command) => {
      const { exists } = await import("./get.js");
      await end(exists(key, command.optsWithGlobals<GlobalFlags>()));
    });
  program
    .command("ttl <key>")
    .summary("how long a key lives on, or a new limit")
    .description(
      "Prints how long a key lives on, or gives it so long from now, or with none removes the limit.",
    )
    .argument("[duration]", "such as 10s, or none", readLifeOrNone)
    .action(async (key: string, life: number | "none" | undefined, _flags: unknown, command: Command) => {
      const { ttl } = await import("./ttl.js");
      await end(ttl(key, life, command.optsWithGlobals<GlobalFlags>()));
    });
  program
    .command("expire <key>")
    .summary("give a key so long to live: as ttl with a duration")
    .argument("<duration>", "such as 10s, or none", readLifeOrNone)
    .action(async (key: string, life: number | "none", _flags: unknown, command: Command) => {
      const { ttl } = await import("./ttl.js");
      await end(ttl(key, life, command.optsWithGlobals<GlobalFlags>()));
    });
  program
    .command("incr <key>")
    .summary("add to a number, and print what it is then")
    .argument("[n]", "what is added; it may be negative (default: 1)", readAddend)
    .action(async (key: string, by: string | undefined, _flags: unknown, command: Command) => {
      const { incr } = await import("./incr.js");
      await end(incr(key, by ?? "1", command.optsWithGlobals<GlobalFlags>()));
    });
  program
    .command("watch [prefix]")
    .summary("print changes of keys as they come")
    .description(
      "Prints changes of keys as they come, on whatever node they are made, until it is interrupted. Changes of one " +
        "key that come faster than they are shown are shown as one, the latest.",
    )
    .addOption(flag("--initial", "first print all keys as they are now"))
    .addOption(flag("-C, --count <n>", "end with 0 after so many changes", readCountFromOne))
    .addOption(
      flag("-W, --wait <duration>", "end after so long; with 5 when no change came, or too few", readTimeout),
    )
    .addOption(
      flag(
        "--exec <command>",
        "run this for each change instead: $LANKV_EVENT, $LANKV_KEY, value on its stdin",
      ),
    )
    .action(async (prefix: string | undefined, _flags: unknown, command: Command) => {
      const { watch } = await import("./watch.js");
      await end(watch(prefix ?? "", command.optsWithGlobals<WatchFlags>()));
    });
  program
    .command("ls [prefix]")
    .summary("list keys")
    .addOption(flag("-l, --long", "with size, times and origin"))
    .addOption(flag("-0, --null", "end each key with a NUL byte"))
    .addOption(flag("--limit <n>", "at most so many", readCount))
    .action(async (prefix: string | undefined, _flags: unknown, command: Command) => {
      const { ls } = await import("./ls.js");
      await end(ls(prefix ?? "", command.optsWithGlobals<LsFlags>()));
    });
  program
    .command("import [file]")
    .summary("write the keys of a JSON Lines file")
    .description(
      "Writes the keys of a JSON Lines file, or of standard input: - or nothing. Each line is a new write, which wins over " +
        "what the key holds. Lines whose expiresAt is over are left out.",
    )
    .addOption(
      flag("-u, --update", "leave out keys that were written or deleted here after the line's version"),
    )
    .addOption(flag("--skip-bad", "leave out lines that cannot be imported, naming each, and exit with 1"))
    .addOption(flag("--resume", "go on where an interrupted import of the file ended: see FILE.resume"))
    .action(async (file: string | undefined, _flags: unknown, command: Command) => {
      const { importKeys } = await import("./import.js");
      await end(importKeys(file ?? "-", command.optsWithGlobals<ImportFlags>()));
    });
  program
    .command("export [file]")
    .summary("print all keys as JSON Lines")
    .description("Writes all keys as JSON Lines to a file, or to standard output: - or nothing.")
    .addOption(flag("--resume", "go on where an interrupted export to the file ended: see FILE.partial"))
    .action(async (file: string | undefined, _flags: unknown, command: Command) => {
      const { exportKeys } = await import("./export.js");
      await end(exportKeys(file ?? "-", command.optsWithGlobals<ExportFlags>()));
    });
}

function addNodeCommands(program: Command, end: End): void {
  program
    .command("backup <dir>")
    .summary("copy what the running node has on disk")
    .description(
      "Copies what the running node has on disk into a directory that is missing or empty, on the daemon's machine and as its " +
        "user. 'lankv serve --data-dir DIR' can start from it, as a node of its own.",
    )
    .action(async (directory: string, _flags: unknown, command: Command) => {
      const { backup } = await import("./backup.js");
      await end(backup(directory, command.optsWithGlobals<GlobalFlags>()));
    });
  program
    .command("status")
    .summary("what the node is, holds and sees")
    .action(async (_flags: unknown, command: Command) => {
      const { status } = await import("./status.js");
      await end(status(command.optsWithGlobals<GlobalFlags>()));
    });
  program
    .command("peers")
    .summary("the other nodes")
    .addOption(flag("--watch", "again each second"))
    .action(async (_flags: unknown, command: Command) => {
      const { peers } = await import("./peers.js");
      await end(peers(command.optsWithGlobals<PeersFlags>()));
    });
  program
    .command("wait")
    .summary("wait until the node is live")
    .description("Waits until the daemon is there and its node live, for at most --timeout (default: 30s).")
    .addOption(flag("--peers <n>", "and sees so many peers", readCount))
    .addOption(flag("--synced", "and holds the same as they do"))
    .action(async (_flags: unknown, command: Command) => {
      const { wait } = await import("./status.js");
      await end(wait(command.optsWithGlobals<WaitFlags>()));
    });
  program
    .command("ping [peer]")
    .summary("how long the daemon, or a peer, takes to answer")
    .description(
      "Prints the round trip to the daemon or, from it, to a peer: its name, or how its node id begins. A peer may " +
        "take --timeout (default: 1s).",
    )
    .action(async (peer: string | undefined, _flags: unknown, command: Command) => {
      const { ping } = await import("./ping.js");
      await end(ping(peer, command.optsWithGlobals<GlobalFlags>()));
    });
  program
    .command("conflicts")
    .summary("the latest concurrent writes that lost")
    .action(async (_flags: unknown, command: Command) => {
      const { conflicts } = await import("./status.js");
      await end(conflicts(command.optsWithGlobals<GlobalFlags>()));
    });
  program
    .command("repl")
    .summary("a JavaScript prompt with the keys as kv")
    .action(async (_flags: unknown, command: Command) => {
      const { repl } = await import("./repl.js");
      await end(repl(command.optsWithGlobals<GlobalFlags>()));
    });
  program
    .command("stop")
    .summary("end the daemon")
    .action(async (_flags: unknown, command: Command) => {
      const { stop } = await import("./status.js");
      await end(stop(command.optsWithGlobals<GlobalFlags>()));
    });
  program
    .command("version")
    .summary("print the version")
    .action(async (_flags: unknown, command: Command) => {
      const { version } = await import("./version.js");
      await end(version(command.optsWithGlobals<GlobalFlags>()));
    });
}

function addDoctor(program: Command, end: End): void {
  const doctor = program
    .command("doctor")
    .summary("why other nodes are not found, and what else ails this one")
    .description(
      "Examines this machine, its networks and the other nodes, with or without a daemon. It listens for --timeout " +
        "(default: 3s), and ends with 7 when something is to be mended.",
    );
  for (const option of doctorOptions()) doctor.addOption(option);
  doctor.action(async (_flags: unknown, command: Command) => {
    const { doctor: run } = await import("./doctor/doctor.js");
    await end(run(command.optsWithGlobals<DoctorFlags>()));
  });
}
