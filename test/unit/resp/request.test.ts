import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  ARGUMENTS_MAX,
  LINE_BYTES_MAX,
  ProtocolError,
  RequestParser,
  type Request,
} from "../../../src/resp/request.js";
import { collectGarbage } from "./garbage.js";
import { toLimits } from "../../../src/resp/limits.js";

const { argumentBytesMax: ARGUMENT_BYTES_MAX, requestBytesMax: REQUEST_BYTES_MAX } = toLimits({});

describe("the request parser", () => {
  const stream = Buffer.from(
    "*1\r\n$4\r\nPING\r\n*3\r\n$3\r\nSET\r\n$2\r\n\x00\xff\r\n$6\r\na\r\nb\n\r\r\n*0\r\n\r\n" +
      "*2\r\n$4\r\nECHO\r\n$0\r\n\r\nget  'o n\\'e'\r\n*-1\r\nSET k \"\\x41\\n\"\n",
    "latin1",
  );
  const requests = [
    ["PING"],
    ["SET", "\x00\xff", "a\r\nb\n\r"],
    ["ECHO", ""],
    ["get", "o n'e"],
    ["SET", "k", "A\n"],
  ];

  it("reads arrays and lines, whatever bytes the arguments hold", () => {
    assert.deepEqual(read(stream), requests);
  });

  for (const [line, words] of [
    ['echo a"b c"', ["echo", "ab c"]],
    ["echo a'b c' d", ["echo", "ab c", "d"]],
    ["echo 'a\\\\'", undefined],
    ["echo 'a\\n\\'b'", ["echo", "a\\n'b"]],
    ['echo a"b"c', undefined],
    ['echo a"', undefined],
    ['echo ""', ["echo", ""]],
    ["  \techo\v  ", ["echo\v"]],
  ] as const) {
    it(`reads the line ${JSON.stringify(line)} as Redis does`, () => {
      const parse = (): Request[] => read(Buffer.from(`${line}\n`));
      if (words === undefined) assert.throws(parse, ProtocolError);
      else assert.deepEqual(parse(), [words]);
    });
  }

  it("reads a line of blanks in a time that does not grow with their square", () => {
    const blanks = " ".repeat(LINE_BYTES_MAX - 100);
    const startedAtMs = performance.now();
    assert.deepEqual(read(Buffer.from(`${blanks}\r\nget${blanks}k\r\nping ${blanks}\r\n`)), [
      ["get", "k"],
      ["ping"],
    ]);
    assert(performance.now() - startedAtMs < 1_000);
  });

  it("reads the same split in two at each boundary", () => {
    for (let at = 0; at <= stream.length; at += 1) {
      assert.deepEqual(read(stream.subarray(0, at), stream.subarray(at)), requests, `split at ${at}`);
    }
  });

  it("reads the same byte by byte", () => {
    assert.deepEqual(read(...[...stream].map((byte) => Buffer.of(byte))), requests);
  });

  it("reads an argument that comes in many chunks", () => {
    const value = "v".repeat(1_048_576);
    const whole = Buffer.from(`*2\r\n$3\r\nSET\r\n$${value.length}\r\n${value}\r\nPING\r\n`);
    const chunks: Buffer[] = [];
    for (let at = 0; at < whole.length; at += 65_536) chunks.push(whole.subarray(at, at + 65_536));
    assert.deepEqual(read(...chunks), [["SET", value], ["PING"]]);
  });

  it("keeps nothing of the chunk that an argument came in", () => {
    const chunk = Buffer.from("*1\r\n$3\r\nabc\r\n");
    const [request] = read(chunk);
    chunk.fill("x");
    assert.deepEqual(request, ["abc"]);
  });

  for (const [given, message] of [
    ["*a\r\n", "invalid multibulk length"],
    ["*\r\n", "invalid multibulk length"],
    [`*${ARGUMENTS_MAX + 1}\r\n`, "invalid multibulk length"],
    ["*99999999999999999999\r\n", "invalid multibulk length"],
    ["*1\r\nfoo\r\n", "expected '$', got 'f'"],
    ["*1\r\n:1\r\n", "expected '$', got ':'"],
    ["*1\r\n$-1\r\n", "invalid bulk length"],
    ["*1\r\n$x\r\n", "invalid bulk length"],
    [`*1\r\n$${ARGUMENT_BYTES_MAX + 1}\r\n`, "invalid bulk length"],
    ["*1\r\n$536870912\r\n", "invalid bulk length"],
    ['get "a\r\n', "unbalanced quotes in request"],
    ["get 'a'b\r\n", "unbalanced quotes in request"],
    ['set """key""" value\r\n', "unbalanced quotes in request"],
    ["x".repeat(LINE_BYTES_MAX + 1), "too big inline request"],
  ] as const) {
    it(`refuses ${JSON.stringify(given.slice(0, 30))}`, () => {
      assert.throws(() => read(Buffer.from(given)), new ProtocolError(`Protocol error: ${message}`));
    });
  }

  it("refuses a request whose arguments are too long together, before they come", () => {
    const count = REQUEST_BYTES_MAX / ARGUMENT_BYTES_MAX;
    const argument = Buffer.concat([
      Buffer.from(`$${ARGUMENT_BYTES_MAX}\r\n`),
      Buffer.alloc(ARGUMENT_BYTES_MAX),
      Buffer.from("\r\n"),
    ]);
    const parser = new RequestParser();
    parser.push(Buffer.from(`*${count + 1}\r\n`));
    for (let index = 0; index < count; index += 1) {
      parser.push(argument);
      assert.equal(parser.next(), undefined);
    }
    parser.push(Buffer.from("$1\r\n"));
    assert.throws(() => parser.next(), new ProtocolError("Protocol error: too big request"));
  });
});

describe("what the request parser holds", () => {
  const MIB = 1_048_576;

  function held(...chunks: readonly string[]): number {
    const parser = new RequestParser();
    for (const chunk of chunks) {
      parser.push(Buffer.from(chunk));
      while (parser.next() !== undefined);
    }
    return parser.heldBytes;
  }

  it("is nothing once all is read, also of a buffer that was put together", () => {
    const whole = `*2\r\n$4\r\nECHO\r\n$${MIB}\r\n${"x".repeat(MIB)}\r\n`;
    assert.equal(held(whole.slice(0, 1_000), whole.slice(1_000)), 0);
    assert.equal(held(whole, "ping\r\n"), 0);
  });

  it("pins no buffer whose requests were read", async () => {
    const parser = new RequestParser();
    const refs = [Buffer.alloc(MIB, "x\n"), Buffer.alloc(MIB, "x\n")].map((chunk) => {
      parser.push(chunk);
      return new WeakRef(chunk);
    });
    while (parser.next() !== undefined);
    parser.keep();
    await collectGarbage();
    assert.deepEqual(
      refs.map((ref) => ref.deref()),
      [undefined, undefined],
    );
    assert.equal(parser.next(), undefined);
  });

  it("is its own once it has kept it, wherever a read ends, and whether or not it was read", () => {
    const stream = "*2\r\n$4\r\nECHO\r\n$5\r\nhello\r\nPING inline\r\n*1\r\n$4\r\nPING\r\n";
    for (let first = 1; first < stream.length; first += 1) {
      for (const isRead of [true, false]) {
        const [parser, shared] = [new RequestParser(), Buffer.alloc(stream.length)];
        const requests: (readonly string[])[] = [];
        for (const part of [stream.slice(0, first), stream.slice(first)]) {
          parser.push(shared, shared.write(part, "latin1"));
          for (
            let request = isRead ? parser.next() : undefined;
            request !== undefined;
            request = parser.next()
          )
            requests.push(request);
          parser.keep();
          shared.fill("#");
        }
        for (let request = parser.next(); request !== undefined; request = parser.next())
          requests.push(request);
        assert.deepEqual(requests, [["ECHO", "hello"], ["PING", "inline"], ["PING"]]);
      }
    }
  });

  it("is a small rest without the buffer that it came in", () => {
    assert.equal(held(`ping ${"x".repeat(1_000)}\r\n*2\r\n$4\r\nEC`), 2);
  });

  it("is what has come of an argument, and not what was announced", () => {
    assert(held(`*2\r\n$4\r\nECHO\r\n$${16 * MIB}\r\n`) < 1_000);
    const half = held(`*2\r\n$4\r\nECHO\r\n$${16 * MIB}\r\n`, "x".repeat(MIB));
    assert(half >= MIB && half < 1.1 * MIB, String(half));
  });

  for (const argument of ["$0\r\n\r\n", "$2\r\nab\r\n"]) {
    it(`is more than the bytes of many arguments as ${JSON.stringify(argument)}`, () => {
      const bytes = held("*100001\r\n", argument.repeat(100_000));
      assert(bytes >= 100_000 * 48 && bytes < 100_000 * 64, String(bytes));
    });
  }

  it("is little more than the bytes that came one by one", () => {
    const bytes = held("*2\r\n$4\r\nECHO\r\n$1000000\r\n", ...Array.from({ length: 100_000 }, () => "x"));
    assert(bytes < 100_000 * 1.5 + 256 * 128, String(bytes));
  });
});

function read(...chunks: readonly Buffer[]): Request[] {
  const parser = new RequestParser();
  const requests: Request[] = [];
  for (const chunk of chunks) {
    parser.push(chunk);
    for (let request = parser.next(); request !== undefined; request = parser.next()) requests.push(request);
  }
  return requests;
}
