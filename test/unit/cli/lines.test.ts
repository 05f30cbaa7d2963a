import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { linesOf, START, type Line } from "../../../src/cli/lines.js";

async function* chunked(bytes: Buffer, size: number): AsyncGenerator<Buffer, void> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function all(bytes: Buffer, size: number, bytesMax?: number): Promise<Line[]> {
  const lines: Line[] = [];
  for await (const some of linesOf(chunked(bytes, size), START, bytesMax)) lines.push(...some);
  return lines;
}

describe("lines", () => {
  it("are the same however the bytes come, and each says where it ends", async () => {
    const bytes = fc
      .array(fc.constantFrom(...Buffer.from("\n\nab\xff", "latin1")))
      .map((list) => Buffer.from(list));
    await fc.assert(
      fc.asyncProperty(bytes, fc.integer({ min: 1, max: 9 }), async (input, size) => {
        const parts = input.toString("latin1").split("\n");
        if (parts.at(-1) === "") parts.pop();
        const lines = await all(input, size);
        assert.deepEqual(
          lines.map(({ text }) => text?.toString("latin1")),
          parts,
        );
        let from = 0;
        for (const [at, { text, end }] of lines.entries()) {
          assert.equal(end.line, at + 1);
          const line = input.subarray(from, end.bytes).toString("latin1");
          assert.equal(line.replace("\n", ""), text?.toString("latin1"));
          from = end.bytes;
        }
        assert.equal(from, input.length);
      }),
    );
  });

  it("are counted but not held when they are too long", async () => {
    const lines = await all(Buffer.from("abcd\nabcde\nab"), 3, 4);
    assert.deepEqual(
      lines.map(({ text, end }) => [text?.toString(), end.bytes]),
      [
        ["abcd", 5],
        [undefined, 11],
        ["ab", 13],
      ],
    );
  });
});
