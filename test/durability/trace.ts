/**
 * What a process asked of the kernel, as strace tells it: every call that changes files, with all bytes, and every
 * write to a socket.
 *
 * A call has two moments, in one order over all threads: strace stops the process before the kernel begins the call and
 * after the kernel has ended it, and both stops are lines of the trace. So what ended before a line has happened by then, and
 * what begins after it has not.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { until } from "../lan/until.js";

/** All calls by which a process could change a file; those that the model of the disk does not know make it fail. */
const CALLS = [
  ...["open", "openat", "openat2", "creat", "close", "dup", "dup2", "dup3"],
  ...["write", "writev", "pwrite64", "pwritev", "pwritev2", "sendfile", "copy_file_range", "splice"],
  ...[
    "truncate",
    "ftruncate",
    "fallocate",
    "fdatasync",
    "fsync",
    "sync",
    "syncfs",
    "sync_file_range",
    "msync",
  ],
  ...["rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat", "unlink", "unlinkat"],
  ...["mkdir", "mkdirat", "rmdir", "io_uring_setup"],
];
/** No call is cut off in the trace: writes are smaller. */
const STRING_BYTES_MAX = 64 * 1024 * 1024;

/** Signals, the end of a thread, and what one was about to call when it was killed. */
const IGNORED = /^\d+ +\d+\.\d+ (?:\+\+\+ |--- |\?\?\?)/;
/** A thread was killed before strace had learnt what it was about to call: nothing came of that. */
const NAMELESS = /^\d+ +[\d.]+ <\.\.\. \?\?\? resumed>\) += \?$/;
/** Where the end of a process is looked for. */
const END_BYTES = 4_096;

/** The command line that runs a program under strace, and leaves its process id to the program. */
export function tracing(file: string): string[] {
  const calls = CALLS.map((name) => `?${name}`).join(",");
  const output = ["-o", file, "-ttt", "-xx", "-s", String(STRING_BYTES_MAX)];
  return ["strace", "-D", "-f", "--seccomp-bpf", "-q", "-e", `trace=${calls}`, ...output];
}

export interface Call {
  readonly name: string;
  /** As strace shows them, with the bytes of strings in hexadecimal. */
  readonly text: string;
  /** The first argument, when it is a number. */
  readonly fd: number;
  /** -1 = it failed; undefined = it has not ended. */
  result: number | undefined;
}

export interface TraceEvent {
  readonly is: "begin" | "end";
  readonly call: Call;
  /** Seconds since 1970. */
  readonly atS: number;
}

/**
 * Reads the trace of a process that has ended, when strace has noticed.
 * @param pid its first thread, which is the last one to be seen
 */
export async function readTrace(file: string, pid: number): Promise<TraceEvent[]> {
  const end = new RegExp(`^${String(pid)} +[0-9.]+ \\+\\+\\+ (?:exited|killed)`, "m");
  const text = await until("strace has ended", () => {
    const written = readFileSync(file, "latin1");
    assert.match(written.slice(-END_BYTES), end);
    return written;
  });
  const events: TraceEvent[] = [];
  const underWay = new Map<string, Call>();
  for (const line of text.split("\n")) {
    const head = /^(\d+) +(\d+\.\d+) (?:<\.\.\. (\w+) resumed>|(\w+)\()/.exec(line);
    if (head === null) {
      if (line !== "" && !IGNORED.test(line) && !NAMELESS.test(line))
        throw new Error(`strace wrote: ${line.slice(0, 200)}`);
      continue;
    }
    const [whole, thread = "", time = "", , name] = head;
    const atS = Number(time);
    let call: Call | undefined;
    if (name === undefined) {
      call = underWay.get(thread);
      underWay.delete(thread);
    } else {
      const text = line.slice(whole.length);
      call = { name, text, fd: Number(/^\d+/.exec(text)?.[0] ?? "-1"), result: undefined };
      events.push({ is: "begin", call, atS });
      if (line.endsWith("<unfinished ...>")) {
        underWay.set(thread, call);
        continue;
      }
    }
    const result = /= (-?\d+|\?)[^=]*$/.exec(line)?.[1];
    if (call === undefined || result === undefined) throw new Error(`strace wrote: ${line.slice(0, 200)}`);
    // The process was killed inside of the call.
    if (result === "?") continue;
    call.result = Number(result);
    events.push({ is: "end", call, atS });
  }
  return events;
}

/** The strings of a call, one after the other: the path, or the buffers that are written. */
export function stringsOf(call: Call): Buffer[] {
  const strings = call.text.match(/"(?:\\x[0-9a-f]{2})*"/g) ?? [];
  return strings.map((text) => Buffer.from(text.replaceAll(/["\\x]/g, ""), "hex"));
}
