/**
 * One import: lines in, writes out, and what became of each.
 *
 * Reading waits for the replies to what was sent, a window at a time, so neither end ever holds much of the file, and the place
 * up to which everything is done with is always known.
 */
import { LankvError } from "../core/error.js";
import { Refusal, type Client } from "./client.js";
import { EXIT, Failure } from "./exit.js";
import { BadLine, toCommand, toEntry } from "./import-line.js";
import type { ImportPlace } from "./import-place.js";
import { linesOf, type Line, type Place } from "./lines.js";
import type { Progress } from "./progress.js";

/** How much may be sent without a reply to the first of it. */
const UNANSWERED_MAX = 1_024;
const UNANSWERED_BYTES_MAX = 4_194_304;
/** How often the place that was reached is kept. */
const KEEP_EVERY_MS = 1_000;

export interface ImportParts {
  readonly flags: { readonly update?: true; readonly skipBad?: true };
  readonly progress: Progress;
  /** Undefined when there is no file to keep it beside. */
  readonly kept: ImportPlace | undefined;
  /** Bytes of the input; undefined when that is not known. */
  readonly size: number | undefined;
  readonly from: Place;
  /** The clock that keys expire by, Unix milliseconds. */
  readonly nowMs: () => number;
}

/** What becomes of a line, unless an error ends the import. */
type Fate = "imported" | "newer" | "expired" | "blank" | BadLine;

interface Sent {
  readonly line: Line;
  /** Or what ends the import: it is not rejected, since nobody looks at it before the window is full. */
  readonly fate: Promise<Fate | { readonly error: unknown }>;
}

export class ImportRun {
  /** How many lines met each fate. */
  readonly counts = { imported: 0, newer: 0, expired: 0, blank: 0, bad: 0 };
  readonly #client: Pick<Client, "call">;
  readonly #parts: ImportParts;
  #sent: Sent[] = [];
  #sentBytes = 0;
  #place: Place;
  #keptAtMs = performance.now();
  #keptPlace: Place;
  #isKept: boolean;
  #isWhole = false;

  constructor(client: Pick<Client, "call">, parts: ImportParts) {
    this.#client = client;
    this.#parts = parts;
    this.#place = parts.from;
    this.#keptPlace = parts.from;
    this.#isKept = parts.kept !== undefined;
  }

  /** Everything before it is done with. */
  get place(): Place {
    return this.#place;
  }

  /** The place from which another import can go on. */
  get keptPlace(): Place {
    return this.#keptPlace;
  }

  /** Whether all lines are done with. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** Whatever ends it, nothing is under way any more when it has ended. */
  async read(input: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      for await (const lines of linesOf(input, this.#place)) {
        for (const line of lines) {
          this.#sent.push({ line, fate: this.#write(line) });
          this.#sentBytes += line.text?.length ?? 0;
          if (this.#sent.length < UNANSWERED_MAX && this.#sentBytes < UNANSWERED_BYTES_MAX) continue;
          await this.#settle();
        }
        await this.#settle();
        if (performance.now() - this.#keptAtMs >= KEEP_EVERY_MS) await this.keep();
      }
      await this.#client.call("LANKV.SYNC");
      this.#isWhole = true;
    } finally {
      await this.#settle();
    }
  }

  /**
   * Keeps the place, if that is possible, once what was written before it is durable: the power may be lost before the import
   * goes on.
   */
  async keep(): Promise<void> {
    const { kept } = this.#parts;
    const place = this.#place;
    this.#keptAtMs = performance.now();
    if (kept === undefined || !this.#isKept || this.#keptPlace === place) return;
    await this.#client.call("LANKV.SYNC");
    try {
      await kept.write(place);
      this.#keptPlace = place;
    } catch (error) {
      // The directory of the file may be one that this user cannot write to.
      if (!(error instanceof Error) || !("syscall" in error)) throw error;
      this.#isKept = false;
    }
  }

  async #write({ text }: Line): Promise<Fate | { readonly error: unknown }> {
    const { flags, nowMs } = this.#parts;
    try {
      if (text !== undefined && isBlank(text)) return "blank";
      const entry = toEntry(text);
      if (entry.expiresAtMs !== undefined && entry.expiresAtMs <= nowMs()) return "expired";
      const reply = await this.#client.call(...toCommand(entry, flags.update === true));
      return reply === null ? "newer" : "imported";
    } catch (error) {
      if (error instanceof BadLine) return error;
      return isOfTheLine(error) ? new BadLine(error.message, { cause: error }) : { error };
    }
  }

  /** Waits for what was sent, and goes by what came first. */
  async #settle(): Promise<void> {
    const sent = this.#sent;
    this.#sent = [];
    this.#sentBytes = 0;
    const fates = await Promise.all(sent.map(({ fate }) => fate));
    for (const [at, { line }] of sent.entries()) {
      const fate = fates[at] ?? "blank";
      if (fate instanceof BadLine) this.#leaveOut(line.end.line, fate);
      else if (typeof fate === "string") this.counts[fate] += 1;
      else throw fate.error;
      this.#place = line.end;
    }
    const { progress, size } = this.#parts;
    if (size === undefined) progress.add(this.counts.imported - progress.done);
    else progress.show(this.counts.imported, this.#place.bytes / size);
  }

  /** @throws {Failure} bad lines are not to be left out */
  #leaveOut(number: number, why: BadLine): void {
    const text = `Line ${String(number)} cannot be imported: ${why.message}.`;
    if (this.#parts.flags.skipBad !== true) {
      const mend = "Mend it, or leave out what is bad with --skip-bad, and import again.";
      throw new Failure(EXIT.error, `${text} ${mend}`, { cause: why });
    }
    this.counts.bad += 1;
    process.stderr.write(`lankv: ${text}\n`);
  }
}

function isBlank(text: Buffer): boolean {
  return text.length < 64 && text.toString("latin1").trim() === "";
}

/** Whether the daemon refused the line for what is in it. */
function isOfTheLine(error: unknown): error is Error {
  if (error instanceof LankvError) return error.code === "LANKV_STAMPS";
  return error instanceof Refusal && error.code === "ERR";
}
