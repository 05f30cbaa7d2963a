/** The table of bounds in docs/architecture.md has every bound of the code, with its value. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { rowsOf, sourcesOf, textOf } from "./project.js";

/** Bounds by their names: what they end with. */
const BOUND = /(?:_MAX|_MIN|_MS|_PER_[A-Z]+|_TICKS|_BYTES|_SHARE)$/;

/** Parts of formats and of other bounds, which docs/protocol.md or the text has. */
const ELSEWHERE = new Set([
  "EPOCH_MS",
  "STAMP_MAX",
  "STAMP_WALL_MAX",
  "BUCKETS_PER_GROUP",
  "SUBSCRIBED_MAX",
  "HELLO_AT_MS",
  "VITALS_BYTES_MAX",
  "HEADER_BYTES_MAX",
  "SEQ_MAX",
  "GROUP_BYTES",
  "SPAN_BYTES_MIN",
  "KEY_BYTES_MIN",
  "PUBLICATION_BYTES_MIN",
  "MESSAGE_BYTES_MAX",
  "TOPIC_BYTES_MAX",
  "FLAGS_MAX",
  "ID_BYTES",
  "RECORD_BYTES_MIN",
  "VERSION_BYTES_MIN",
  "EXPIRES_MAX_MS",
  "SHORT_BYTES",
  "SHORT_SLICE_BYTES",
  "LINGER_MS",
  "ENTRY_BYTES_MAX",
  "MARK_BYTES",
  "NUMBER_MAX",
  "GATHER_BYTES",
]);

/** The value of `64 * 1024`, `2 ** 24` or `1_024`. */
function valueOf(expression: string): number {
  return expression
    .replaceAll("_", "")
    .split(/ \* /)
    .map((factor) =>
      factor
        .split(" ** ")
        .map(Number)
        .reduce((base, exponent) => base ** exponent),
    )
    .reduce((product, factor) => product * factor);
}

/** `where NAME = value` of each bound in a file. */
function boundsOf(file: string): string[] {
  const where = file.replace(/^src\//, "").replace(/\.ts$/, "");
  return [...textOf(file).matchAll(/^(?:export )?const ([A-Z_]+) = ([^;]+);$/gm)]
    .filter(([, name = ""]) => BOUND.test(name) && !ELSEWHERE.has(name))
    .map(([, name = "", expression = ""]) => `${where} ${name} = ${valueOf(expression)}`);
}

describe("the table of bounds", () => {
  const rows = rowsOf(textOf("docs/architecture.md")).filter((row) => row.length === 4);

  it("has every bound of the core, the wire, the net, the storage and the node, and no other", () => {
    const real = ["core", "wire", "net", "storage", "node"]
      .flatMap((room) => sourcesOf(`src/${room}`))
      .flatMap(boundsOf);
    const documented = rows.map(
      ([name = "", value = "", where = ""]) =>
        `${where} ${name.replaceAll("`", "")} = ${value.replaceAll(" ", "")}`,
    );
    const isNotIn = (all: readonly string[]) => (bound: string) => !all.includes(bound);
    assert.deepEqual(
      { undocumented: real.filter(isNotIn(documented)), stale: documented.filter(isNotIn(real)) },
      { undocumented: [], stale: [] },
    );
  });

  it("has a reason for each", () => {
    for (const [name, , , reason = ""] of rows) assert.ok(reason.length > 5, name);
  });
});
