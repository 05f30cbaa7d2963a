/** A real daemon's system calls, recorded while clients write to it, with what it acknowledged among them. */
import { cpSync, mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { Random } from "../sim/random.js";
import { Daemon } from "./daemon.js";
import { Disk } from "./disk.js";
import { Ledger } from "./ledger.js";
import type { Policy } from "./kill-round.js";
import { readTrace, stringsOf, tracing, type Call, type TraceEvent } from "./trace.js";
import { Acknowledged, Transcript, type RunOptions } from "./transcript.js";

const CLIENTS = 3;
/** Calls after which files are there, or not, or shorter: a loss of power next to them is worth more than elsewhere. */
const SPECIAL = /^(?:rename|unlink|mkdir|rmdir|ftruncate|fsync)/;
/** How near. */
const NEAR = 8;

interface Run extends Omit<RunOptions, "random"> {
  /** How the run ends. */
  readonly end: "SIGKILL" | "SIGTERM";
}

interface RecordOptions {
  /** Takes logs and sockets; the disk that counts is the folder `disk` in it. */
  readonly directory: string;
  readonly policy: Policy;
  readonly seed: number;
  readonly runs: readonly Run[];
  /** What the clients sent in an earlier recording, to be gone on with. Default: nothing. */
  readonly transcripts?: readonly Transcript[];
}

/** How many writes of each transcript were acknowledged. */
export type Counts = ReadonlyMap<Transcript, number>;

type Step = TraceEvent | "end of process";

export class Recording {
  readonly #initial: () => Disk;
  readonly #steps: readonly Step[];
  readonly transcripts: readonly Transcript[];

  private constructor(initial: () => Disk, steps: readonly Step[], transcripts: readonly Transcript[]) {
    this.#initial = initial;
    this.#steps = steps;
    this.transcripts = transcripts;
  }

  /** Runs a daemon, time after time, on what the disk holds durably. */
  static async make({
    directory,
    policy,
    seed,
    runs,
    transcripts = newTranscripts(),
  }: RecordOptions): Promise<Recording> {
    const root = path.join(directory, "disk");
    const trace = path.join(directory, "trace");
    mkdirSync(root, { recursive: true });
    // The daemon changes the folder.
    const before = path.join(directory, "before");
    cpSync(root, before, { recursive: true });
    const random = new Random(seed);
    const steps: Step[] = [];
    for (const { end, ...run } of runs) {
      const daemon = new Daemon({
        directory,
        dataDir: path.join(root, "data"),
        flags: ["--fsync", policy, "--no-discovery"],
        under: tracing(trace),
      });
      await daemon.start();
      await Promise.all(
        transcripts.map(async (transcript) => {
          const client = await daemon.connect();
          await transcript.run(client, { random, ...run });
          client.close();
        }),
      );
      await daemon.end(end);
      steps.push(...(await readTrace(trace, daemon.pid)), "end of process");
      rmSync(trace);
    }
    return new Recording(() => Disk.of(root, before), steps, transcripts);
  }

  /** How many writes there were. */
  get writes(): number {
    return this.transcripts.reduce((sum, { length }) => sum + length, 0);
  }

  /** The same without the calls for which the answer is yes, as if the daemon had not made them. */
  without(isLeftOut: (call: Call) => boolean): Recording {
    const steps = this.#steps.filter((step) => step === "end of process" || !isLeftOut(step.call));
    return new Recording(this.#initial, steps, this.transcripts);
  }

  /** The same with the system having been asked for something else in these calls. */
  with(change: (text: string) => string): Recording {
    const changed = new Map<Call, Call>();
    const steps = this.#steps.map((step) => {
      if (step === "end of process") return step;
      const { call } = step;
      const other = changed.get(call) ?? { ...call, text: change(call.text) };
      changed.set(call, other);
      return { ...step, call: other };
    });
    return new Recording(this.#initial, steps, this.transcripts);
  }

  /**
   * Where the power may fail: half of the moments at random, half next to calls that are special.
   * @returns places in the recording, in order, each once
   */
  choose(count: number, random: Random): number[] {
    const all = [...this.#steps.keys()];
    const special = all.filter((at) => {
      const step = this.#steps[at];
      return typeof step === "object" && SPECIAL.test(step.call.name);
    });
    const place = (): number => {
      const at = random.chance(0.5) ? undefined : random.pick(special);
      if (at === undefined) return random.below(all.length);
      return Math.min(all.length - 1, Math.max(0, at + random.wholeBetween(-NEAR, NEAR)));
    };
    const chosen = new Set<number>();
    for (let tries = 0; chosen.size < count && tries < 100 * count; tries += 1) chosen.add(place());
    return [...chosen].sort((a, b) => a - b);
  }

  /**
   * Calls back at each of these places, with the disk as it is then, and what was acknowledged.
   * @param lossS what was acknowledged in so many seconds before may be lost. Default: 0, nothing may
   */
  async play(
    places: readonly number[],
    handleCut: (disk: Disk, required: Counts, place: number) => Promise<void>,
    lossS = 0,
  ): Promise<void> {
    const disk = this.#initial();
    const acknowledged = new Acknowledged();
    const long = new Acknowledged();
    let longAt = 0;
    let next = 0;
    let nowS = 0;
    for (const [at, step] of this.#steps.entries()) {
      if (step === "end of process") disk.endProcess();
      else {
        nowS = step.atS;
        disk.apply(step);
        acknowledged.apply(step);
      }
      if (places[next] !== at) continue;
      next += 1;
      for (; longAt <= at; longAt += 1) {
        const earlier = this.#steps[longAt];
        if (earlier === undefined || (earlier !== "end of process" && earlier.atS > nowS - lossS)) break;
        if (earlier !== "end of process") long.apply(earlier);
      }
      const counted = lossS === 0 ? acknowledged : long;
      await handleCut(disk, new Map(this.transcripts.map((one) => [one, counted.of(one.name)])), at);
    }
  }

  /** How many files of records were removed since what is in them is elsewhere. */
  get segmentsRemoved(): number {
    return this.#steps.filter(
      (step) =>
        step !== "end of process" &&
        step.is === "end" &&
        step.call.name.startsWith("unlink") &&
        stringsOf(step.call)[0]?.toString().endsWith(".log") === true,
    ).length;
  }

  /** The longest sync, in seconds. */
  get longestSyncS(): number {
    const begun = new Map<Call, number>();
    let longest = 0;
    for (const step of this.#steps) {
      if (step === "end of process" || !step.call.name.endsWith("sync")) continue;
      if (step.is === "begin") begun.set(step.call, step.atS);
      else longest = Math.max(longest, step.atS - (begun.get(step.call) ?? step.atS));
    }
    return longest;
  }
}

/** A ledger in which so much is acknowledged. */
export function ledgerOf(counts: Counts): Ledger {
  const ledger = new Ledger();
  for (const [transcript, count] of counts) transcript.enter(ledger, count);
  return ledger;
}

function newTranscripts(): Transcript[] {
  return Array.from({ length: CLIENTS }, (_, at) => new Transcript(`t${String(at)}`));
}
