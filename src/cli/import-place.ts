/**
 * The place that an import has reached, kept beside its file as FILE.resume until it is over: every line before it is done
 * with.
 *
 *     {"line":412000,"bytes":61388000,"node":"26aafdfe2d1d102a","before":"5feceb66ffc86f38"}
 *
 * `node` is the node that the lines were written to: another one may not hold them. `before` is what tells whether the
 * file is still the same as far as it matters: a hash of the end of what is done. The rest may be mended.
 */
import { createHash } from "node:crypto";
import { open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { codeOf } from "../net/claim-socket.js";
import { EXIT, Failure } from "./exit.js";
import { START, type Place } from "./lines.js";
import { isObject } from "./replies.js";

/** How much of the file before the place is compared. */
const BEFORE_BYTES = 4_096;

export class ImportPlace {
  readonly #file: string;
  readonly #path: string;
  readonly #node: string;

  /** @param node id of the node that is written to */
  constructor(file: string, node: string) {
    this.#file = file;
    this.#path = `${file}.resume`;
    this.#node = node;
  }

  /**
   * The place that an import has reached; the start when none was interrupted.
   * @throws {Failure} it was another file, or another node
   */
  async read(): Promise<Place> {
    let text: string;
    try {
      text = await readFile(this.#path, "utf8");
    } catch (error) {
      if (codeOf(error) === "ENOENT") return START;
      throw error;
    }
    const { line, bytes, node, before } = toMembers(text);
    if (typeof line !== "number" || typeof bytes !== "number" || !(line >= 1 && bytes >= 1)) {
      throw this.#refused(`${this.#path} is damaged`);
    }
    if (node !== this.#node) throw this.#refused(`it was begun on another node, ${String(node)}`);
    const place = { line, bytes };
    if (before !== (await this.#before(place))) throw this.#refused("the file is not the same any more");
    return place;
  }

  /** @throws an error of the system: the directory may be read-only */
  async write(place: Place): Promise<void> {
    const before = await this.#before(place);
    // A program that is killed while it writes leaves the place before.
    const next = `${this.#path}.new`;
    await writeFile(next, `${JSON.stringify({ ...place, node: this.#node, before })}\n`);
    await rename(next, this.#path);
  }

  async remove(): Promise<void> {
    await rm(this.#path, { force: true });
  }

  async #before({ bytes }: Place): Promise<string> {
    const handle = await open(this.#file);
    try {
      const from = Math.max(0, bytes - BEFORE_BYTES);
      const end = Buffer.alloc(Math.min(bytes, BEFORE_BYTES));
      await handle.read(end, 0, end.length, from);
      return createHash("sha256").update(end).digest("hex").slice(0, 16);
    } finally {
      await handle.close();
    }
  }

  #refused(why: string): Failure {
    return new Failure(
      EXIT.error,
      `The import of ${this.#file} cannot be resumed: ${why}. Import it without --resume, from the start.`,
    );
  }
}

function toMembers(text: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(text);
    return isObject(parsed) ? parsed : {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}
