/**
 * `lankv watch`: changes of keys as they come, whoever made them, on whatever node.
 *
 * The keyspace notifications on one connection say which key changed; what it holds now is asked for on another.
 * Subscribing comes before listing what is there: a change in between may be shown twice, and none is lost.
 */
import { once } from "node:events";
import ms from "ms";
import { LankvError } from "../core/error.js";
import { KEYS_AT_ONCE } from "./ask-each.js";
import { Backlog } from "./backlog.js";
import { changeToJson, changeToLine, changeToRow, INITIAL, type Change } from "./change.js";
import type { Client } from "./client.js";
import { withDaemon } from "./connect.js";
import { EXIT, type ExitCode } from "./exit.js";
import type { GlobalFlags } from "./flags.js";
import { toBufferOrNull, toBuffers, toObject } from "./replies.js";
import { runForChange } from "./run-for-change.js";
import { colorsFor } from "./terminal.js";

const CHANNEL = "__keyspace@0__:";
const SETTING = "notify-keyspace-events";
/** What happens to strings, to keys in general, and what runs out. */
const EVENT_CLASSES = ["$", "g", "x"];
/** How often a daemon is asked whether it is still there: a connection that was cut says nothing. */
const HEARTBEAT_MS = 5_000;
const DEFAULT_COLUMNS = 80;

/** After these a key is gone, by their own word. */
const GONE: ReadonlySet<string> = new Set(["del", "expired", "evicted", "rename_from"]);
/** These change nothing, or come besides the event that says what did. */
const IGNORED: ReadonlySet<string> = new Set(["new", "keymiss"]);

export interface WatchFlags extends GlobalFlags {
  readonly initial?: true;
  readonly count?: number;
  /** Milliseconds. */
  readonly wait?: number;
  readonly exec?: string;
}

/** Why a watch ends. */
type Ending = "interrupted" | "time is up" | Error;

export function watch(prefix: string, flags: WatchFlags): Promise<ExitCode> {
  return withDaemon(flags, (events) =>
    withDaemon(flags, async (values) => {
      const current = new Watch(values, prefix, flags);
      await current.begin(events);
      try {
        return await current.run();
      } finally {
        current.end();
      }
    }),
  );
}

class Watch {
  readonly #backlog = new Backlog();
  readonly #values: Client;
  readonly #prefix: string;
  readonly #flags: WatchFlags;
  readonly #timers: NodeJS.Timeout[] = [];
  #ending: Ending | undefined;

  constructor(values: Client, prefix: string, flags: WatchFlags) {
    this.#values = values;
    this.#prefix = prefix;
    this.#flags = flags;
  }

  async begin(events: Client): Promise<void> {
    await events.subscribe(`${CHANNEL}${toLiteral(this.#prefix)}*`, {
      message: (channel, payload) => {
        const event = payload.toString("latin1");
        if (!IGNORED.has(event)) this.#backlog.add(channel.toString("latin1", CHANNEL.length), event);
      },
      ended: (error) => {
        this.#stop(error);
      },
    });
    await this.#checkEvents();
    process.once("SIGINT", this.#interrupt).once("SIGTERM", this.#interrupt);
    const heartbeat = setInterval(() => {
      this.#values.call("PING").catch((error: unknown) => {
        this.#stop(error instanceof Error ? error : new Error(String(error)));
      });
    }, HEARTBEAT_MS);
    this.#timers.push(heartbeat);
    const { wait } = this.#flags;
    if (wait !== undefined) this.#timers.push(setTimeout(() => this.#stop("time is up"), wait));
  }

  async run(): Promise<ExitCode> {
    let count = 0;
    for await (const change of this.#changes()) {
      await this.#show(change);
      if (change.event !== INITIAL) count += 1;
      if (count === this.#flags.count) return EXIT.ok;
    }
    if (this.#ending instanceof Error) throw this.#ending;
    this.#tellMissed();
    if (this.#ending === "interrupted") return EXIT.interrupted;
    if (this.#flags.count === undefined && count > 0) return EXIT.ok;
    throw tooFew(count, this.#flags);
  }

  end(): void {
    process.off("SIGINT", this.#interrupt).off("SIGTERM", this.#interrupt);
    for (const timer of this.#timers) clearTimeout(timer);
  }

  async *#changes(): AsyncGenerator<Change, void> {
    // A command takes its time: what it is told is fetched when its turn has come.
    const atOnce = this.#flags.exec === undefined ? KEYS_AT_ONCE : 1;
    if (this.#flags.initial === true) yield* this.#initial(atOnce);
    for (;;) {
      const taken = await this.#backlog.take(atOnce);
      if (taken.length === 0) return;
      this.#tellMissed();
      yield* await Promise.all(taken.map(([key, event]) => this.#fetch(Buffer.from(key, "latin1"), event)));
    }
  }

  async *#initial(atOnce: number): AsyncGenerator<Change, void> {
    const keys = toBuffers(await this.#values.call("LANKV.LS", this.#prefix));
    for (let at = 0; at < keys.length; at += atOnce) {
      if (this.#ending !== undefined) {
        this.#backlog.miss(keys.length - at);
        return;
      }
      const wanted = keys.slice(at, at + atOnce).map((key) => this.#fetch(key, INITIAL));
      // What has gone meanwhile waits as a change.
      yield* (await Promise.all(wanted)).filter(({ event }) => event === INITIAL);
    }
  }

  /** What the key holds now; the event says "del" when it went meanwhile. */
  async #fetch(key: Buffer, event: string): Promise<Change> {
    const found = GONE.has(event) ? null : toBufferOrNull(await this.#values.call("LANKV.ENTRY", key));
    if (found !== null) return { event, key, entry: toObject(found) };
    return { event: GONE.has(event) ? event : "del", key, entry: undefined };
  }

  async #show(change: Change): Promise<void> {
    const { exec, json, socket, url } = this.#flags;
    if (exec !== undefined) {
      const target = { ...(socket && { LANKV_SOCKET: socket }), ...(url && { LANKV_URL: url }) };
      await runForChange(exec, change, target);
      return;
    }
    const { stdout } = process;
    const line =
      json === true
        ? changeToJson(change)
        : stdout.isTTY
          ? changeToRow(change, new Date(), stdout.columns || DEFAULT_COLUMNS, colorsFor(stdout, this.#flags))
          : changeToLine(change);
    if (!stdout.write(`${line}\n`)) await once(stdout, "drain");
  }

  /** Somebody may have turned the notifications off, and a watch that stays silent would seem to say that nothing changes. */
  async #checkEvents(): Promise<void> {
    const [, flags = Buffer.alloc(0)] = toBuffers(await this.#values.call("CONFIG", "GET", SETTING));
    const isOn =
      flags.includes("K") && (flags.includes("A") || EVENT_CLASSES.every((each) => flags.includes(each)));
    if (isOn || this.#flags.quiet === true) return;
    process.stderr.write(
      `lankv: the daemon does not tell of all changes: its ${SETTING} is ${JSON.stringify(flags.toString())}. ` +
        `Turn them on with the Redis command CONFIG SET ${SETTING} AKE.\n`,
    );
  }

  #tellMissed(): void {
    const missed = this.#backlog.takeMissed();
    if (missed === 0) return;
    if (this.#flags.json === true && this.#flags.exec === undefined) {
      process.stdout.write(`${JSON.stringify({ event: "lagged", missed })}\n`);
    } else {
      process.stderr.write(
        `lankv: lagged: ${String(missed)} changes came faster than they were shown, and are missed. ` +
          "See what the keys hold now with 'lankv ls' and 'lankv get', or watch a longer prefix.\n",
      );
    }
  }

  #stop(ending: Ending): void {
    this.#ending ??= ending;
    this.#backlog.close();
  }

  readonly #interrupt = (): void => {
    this.#stop("interrupted");
  };
}

/** The pattern of Redis that means the text itself. */
function toLiteral(text: string): string {
  return text.replace(/[*?[\]\\]/g, "\\$&");
}

function tooFew(count: number, { count: wanted, wait = 0 }: WatchFlags): LankvError {
  const came = wanted === undefined ? "No change" : `${String(count)} of ${String(wanted)} changes`;
  return new LankvError("LANKV_TIMEOUT", `${came} came within ${ms(wait)}. Wait longer with --wait.`);
}
