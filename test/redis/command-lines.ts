import fc from "fast-check";

type Line = readonly string[];

/** Few keys, so that commands meet each other's; no empty one, which lankv refuses. */
export const KEYS = ["a", "b", "c", "k\xff", "{x}*", "a b"] as const;
const key = fc.constantFrom(...KEYS);
const integer = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -20, max: 40 }).map(String) },
  fc.constantFrom(
    ...["9223372036854775807", "-9223372036854775808", "9223372036854775806", "9223372036854775808"],
    ...["9007199254740991", "9007199254740992", "-9007199254740993", "1000000000000000000"],
    ...["", "+1", "01", "-0", " 1", "1 ", "1.0", "x", "--1", "0x10", "1e3"],
  ),
);
const float = fc.oneof(
  fc.integer({ min: -1000, max: 1000 }).map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }).map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.tuple(fc.integer(), fc.nat(99_999)).map(([whole, part]) => `${whole}.${part}`),
  fc.constantFrom(
    ...[
      "inf",
      "-inf",
      "+inf",
      "infinity",
      "nan",
      "1e400",
      "1e4932",
      "1e4933",
      "-1e4931",
      "1e-4930",
      "1e-5000",
    ],
    ...["0.1", "-0.1", "3.0e3", "5.0e+1", "1.", ".5", ".", "e5", "1e", "+5", "--5", " 1", "1 ", "", "1e-17"],
    ...[
      "0.000000000000000005",
      "0.00000000000000000499",
      "9223372036854775807.5",
      "0e99999999999",
      "-0",
      "-0.0",
    ],
  ),
);
const value = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: "grapheme-ascii", maxLength: 12 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("\x00\xff\r\n", "x".repeat(44), "y".repeat(45), "abcabcabc", "cabbage"),
  },
  { weight: 2, arbitrary: integer },
  { weight: 1, arbitrary: float },
);

/** No longer than other values are, or longer than any of Redis's. */
const bitOffset = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -1, max: 300 }).map(String) },
  { weight: 1, arbitrary: integer },
  { weight: 1, arbitrary: fc.constantFrom("4294967296", "8589934592", "-4294967296") },
);
const bit = fc.oneof({ weight: 6, arbitrary: fc.constantFrom("0", "1") }, integer);
const unit = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom<Line>(["BIT"], ["bit"], ["BYTE"], ["byte"]) },
  { weight: 1, arbitrary: fc.constantFrom<Line>([], ["foo"], ["BIT", "BYTE"]) },
);

const encoding = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom("i8", "u8", "u1", "i5", "u33", "i33", "u63", "i63", "i64") },
  { weight: 1, arbitrary: fc.constantFrom("u64", "i65", "i0", "I8", "u", "", "x8", "i-8", "u08") },
);
const fieldOffset = fc.oneof(
  { weight: 3, arbitrary: bitOffset },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 6 }).map((number) => `#${number}`) },
  { weight: 1, arbitrary: fc.constantFrom("#", "##1", "#-1", "#x") },
);
const fieldRead = fc.tuple(word("GET"), encoding, fieldOffset);
/** Without the numbers near -2 ** 63, at which Redis's own check of overflow overflows. */
const fieldWrite = fc.tuple(
  fc.oneof(word("SET"), word("INCRBY")),
  encoding,
  fieldOffset,
  fc.oneof(
    fc.integer({ min: -300, max: 300 }).map(String),
    fc.bigInt({ min: -(2n ** 62n), max: 2n ** 63n - 1n }).map(String),
    fc.constantFrom("9223372036854775807", "x", "1.0"),
  ),
);
const overflow = fc.tuple(word("OVERFLOW"), fc.oneof(word("WRAP"), word("SAT"), word("FAIL"), word("foo")));

function fieldOperations(...operations: readonly fc.Arbitrary<Line>[]): fc.Arbitrary<Line> {
  return fc.array(fc.oneof(...operations), { maxLength: 5 }).map((lines) => lines.flat());
}

/** So far from now that no key expires while the test runs; or over, or no time at all. */
const seconds = fc.constantFrom(
  "10000",
  "20000",
  "30000",
  "0",
  "-1",
  "x",
  "9223372036854775",
  "10000000000000000",
);
const unixSeconds = fc.constantFrom("4000000000", "4000000001", "5000000000", "1", "0", "-1", "x");
const milliseconds = fc.constantFrom("10000000", "20000000", "0", "-1", "9223372036854775807");
const unixMilliseconds = fc.constantFrom("4000000000499", "4000000000500", "5000000000000", "1", "0", "-1");

const expiry = fc.oneof(
  fc.tuple(word("EX"), seconds),
  fc.tuple(word("PX"), milliseconds),
  { weight: 3, arbitrary: fc.tuple(word("EXAT"), unixSeconds) },
  { weight: 3, arbitrary: fc.tuple(word("PXAT"), unixMilliseconds) },
);

/** Mostly one option, sometimes several that may contradict each other. */
function options(...choices: readonly fc.Arbitrary<Line>[]): fc.Arbitrary<Line> {
  const one = fc.oneof(...choices);
  return fc.oneof(
    { weight: 2, arbitrary: fc.constant<Line>([]) },
    { weight: 4, arbitrary: one },
    { weight: 2, arbitrary: fc.tuple(one, one).map(([first, second]) => [...first, ...second]) },
    { weight: 1, arbitrary: fc.array(one, { maxLength: 4 }).map((lines) => lines.flat()) },
  );
}

/** A word as it is, or in small letters. */
function word(text: string): fc.Arbitrary<string> {
  return fc.constantFrom(text, text.toLowerCase());
}

function words(...texts: readonly string[]): fc.Arbitrary<Line> {
  return fc.constantFrom(...texts).map((text) => [text]);
}

function line(name: string, ...args: readonly fc.Arbitrary<string | Line>[]): fc.Arbitrary<Line> {
  return fc.tuple(word(name), ...args).map((parts) => parts.flat());
}

const keys = fc.array(key, { minLength: 1, maxLength: 4 });
const pairs = fc.array(fc.tuple(key, value), { minLength: 1, maxLength: 3 }).map((each) => each.flat());
/** Without GT and LT: two times from now on are equal or not by chance. */
const simpleConditions = options(words("NX"), words("XX"), words("foo"), fc.constant(["GT", "LT"]));
const conditions = options(words("NX"), words("XX"), words("GT"), words("LT"), words("foo"));
const pattern = fc.constantFrom(
  ...[
    "*",
    "a*",
    "?",
    "[a-b]",
    "[^a]",
    "k\xff",
    "\\{x}*",
    "{x}\\*",
    "[\\a-c]",
    "[ab",
    "* *",
    "nope",
    "a[ ]b",
    "[c-a]",
  ],
);

const writing: readonly fc.Arbitrary<Line>[] = [
  line("SET", key, value),
  line(
    "SET",
    key,
    value,
    options(words("NX"), words("XX"), words("GET"), words("KEEPTTL"), words("foo"), expiry),
  ),
  line("SETNX", key, value),
  line("SETEX", key, seconds, value),
  line("PSETEX", key, milliseconds, value),
  line("GETSET", key, value),
  line("GETDEL", key),
  line("GETEX", key, options(words("PERSIST"), words("KEEPTTL"), expiry)),
  line("MSET", pairs),
  line("MSETNX", pairs),
  line("MSET", pairs, key),
  line("APPEND", key, value),
  line("SETRANGE", key, integer, value),
  line("SETBIT", key, bitOffset, bit),
  line("BITOP", fc.oneof(word("AND"), word("OR"), word("XOR")), key, keys),
  line("BITOP", fc.oneof({ weight: 4, arbitrary: word("NOT") }, word("foo")), key, key),
  line("BITOP", word("NOT"), key, keys),
  line("BITFIELD", key, fieldOperations(fieldRead, fieldWrite, fieldWrite, overflow)),
  line("INCR", key),
  line("DECR", key),
  line("INCRBY", key, integer),
  line("DECRBY", key, integer),
  line("INCRBYFLOAT", key, float),
  line("DEL", keys),
  line("UNLINK", keys),
  line("RENAME", key, key),
  line("RENAMENX", key, key),
  line("COPY", key, key, options(words("REPLACE"), words("foo"), fc.constant(["DB", "0"]))),
  line("EXPIRE", key, seconds, simpleConditions),
  line("PEXPIRE", key, milliseconds, simpleConditions),
  line("EXPIREAT", key, unixSeconds, conditions),
  line("PEXPIREAT", key, unixMilliseconds, conditions),
  line("PERSIST", key),
  line("FLUSHALL", options(words("SYNC"), words("ASYNC"), words("foo"))),
];

const reading: readonly fc.Arbitrary<Line>[] = [
  line("GET", key),
  line("MGET", keys),
  line("STRLEN", key),
  line("GETRANGE", key, integer, integer),
  line("SUBSTR", key, integer, integer),
  line("GETBIT", key, bitOffset),
  line("BITCOUNT", key),
  line("BITCOUNT", key, integer, integer, unit),
  line("BITFIELD_RO", key, fieldOperations(fieldRead, fieldRead, fieldRead, fieldWrite)),
  line("BITPOS", key, bit),
  line("BITPOS", key, bit, integer),
  line("BITPOS", key, bit, integer, integer, unit),
  line(
    "LCS",
    key,
    key,
    options(
      words("LEN"),
      words("IDX"),
      words("WITHMATCHLEN"),
      fc.tuple(word("MINMATCHLEN"), fc.constantFrom("0", "2", "3", "-1", "x")),
    ),
  ),
  line("EXISTS", keys),
  line("TOUCH", keys),
  line("TYPE", key),
  line("KEYS", pattern),
  line("EXPIRETIME", key),
  line("PEXPIRETIME", key),
  line("TTL", key),
  line(
    "SCAN",
    fc.constant(["0", "COUNT", "10000000"]),
    options(
      fc.tuple(word("MATCH"), pattern),
      fc.tuple(word("TYPE"), fc.constantFrom("string", "STRING", "list")),
    ),
  ),
  line(
    "SCAN",
    fc.constantFrom("x", "0"),
    options(words("COUNT"), fc.constant(["COUNT", "0"]), fc.constant(["foo", "1"])),
  ),
  line("OBJECT", fc.constantFrom("REFCOUNT", "ENCODING"), fc.constant("missing")),
  line("OBJECT", fc.constantFrom("FREQ", "foo"), key),
];

/** Some of these have too few or too many arguments. */
const malformed = fc
  .tuple(fc.oneof(...writing, ...reading), fc.nat(4), fc.boolean())
  .map(([whole, length, isLonger]) => (isLonger ? [...whole, "x"] : whole.slice(0, length + 1)))
  .filter(
    (each) => each.length > 0 && !(/^(?:flushall|object|set)$/i.test(each[0] ?? "") && each.length > 3),
  );

/** One command of those that lankv and Redis must answer alike. */
export const commandLine: fc.Arbitrary<Line> = fc.oneof(
  { weight: 6, arbitrary: fc.oneof(...writing) },
  { weight: 5, arbitrary: fc.oneof(...reading) },
  { weight: 1, arbitrary: malformed },
);
