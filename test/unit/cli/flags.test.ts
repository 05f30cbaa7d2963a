import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { InvalidArgumentError } from "commander";
import {
  flag,
  readCount,
  readDuration,
  readLife,
  readList,
  readPort,
  readPortOrNone,
  readSeconds,
  readSize,
  readTimeout,
} from "../../../src/cli/flags.js";

describe("a duration", () => {
  for (const [text, ms] of [
    ["0", 0],
    ["500ms", 500],
    ["10s", 10_000],
    ["1.5s", 1_500],
    ["1m", 60_000],
    ["2h", 7_200_000],
    ["1d", 86_400_000],
  ] as const) {
    it(`${text} is ${ms} ms`, () => {
      assert.equal(readDuration(text), ms);
    });
  }

  for (const text of ["", "10", "s", "-1s", "1 s", "1e3s", "10sec", "1s2", "constructor"]) {
    it(`is not ${JSON.stringify(text)}`, () => {
      assert.throws(() => readDuration(text), InvalidArgumentError);
    });
  }
});

describe("a time to wait", () => {
  it("is at most a day", () => {
    assert.equal(readTimeout("0"), 0);
    assert.equal(readTimeout("24h"), 86_400_000);
    assert.throws(() => readTimeout("30d"), InvalidArgumentError);
    assert.throws(() => readTimeout("86400001ms"), InvalidArgumentError);
  });
});

describe("a number of seconds", () => {
  it("is rounded up", () => {
    assert.equal(readSeconds("0"), 0);
    assert.equal(readSeconds("1ms"), 1);
    assert.equal(readSeconds("2m"), 120);
    assert.equal(readSeconds("365d"), 31_536_000);
    assert.throws(() => readSeconds("366d"), InvalidArgumentError);
  });
});

describe("a size", () => {
  it("is in bytes, or in what is named", () => {
    assert.equal(readSize("0"), 0);
    assert.equal(readSize("65536"), 65_536);
    assert.equal(readSize("2KiB"), 2_048);
    assert.equal(readSize("32MiB"), 33_554_432);
    assert.equal(readSize("1GiB"), 1_073_741_824);
    for (const text of ["", "MiB", "1 MiB", "1mb", "-1", "1.5MiB", "constructor"])
      assert.throws(() => readSize(text), InvalidArgumentError, text);
  });
});

describe("a time to live", () => {
  it("is longer than nothing", () => {
    assert.equal(readLife("30d"), 2_592_000_000);
    assert.throws(() => readLife("0"), InvalidArgumentError);
    assert.throws(() => readLife("0.1ms"), InvalidArgumentError);
  });
});

describe("a number", () => {
  it("is within its bounds", () => {
    assert.equal(readPort("1"), 1);
    assert.equal(readPort("65535"), 65_535);
    assert.equal(readPortOrNone("0"), 0);
    assert.equal(readCount("0"), 0);
    for (const text of ["0", "65536", "-1", "1.5", "1e3", "", " 1", "0x10"]) {
      assert.throws(() => readPort(text), InvalidArgumentError, text);
    }
    assert.throws(() => readPortOrNone("65536"), InvalidArgumentError);
    assert.throws(() => readCount("9999999999"), InvalidArgumentError);
  });
});

describe("a list", () => {
  it("grows with each flag, and is split at commas", () => {
    assert.deepEqual(readList("eth0", undefined), ["eth0"]);
    assert.deepEqual(readList("lo,eth1", ["eth0"]), ["eth0", "lo", "eth1"]);
    assert.deepEqual(readList(",", undefined), []);
  });
});

describe("a flag", () => {
  it("names its environment variable", () => {
    assert.equal(flag("-s, --socket <path>", "").envVar, "LANKV_SOCKET");
    assert.equal(flag("--no-discovery", "").envVar, "LANKV_NO_DISCOVERY");
    assert.equal(flag("--if-version <version>", "").envVar, "LANKV_IF_VERSION");
  });

  it("that is a switch does not listen to a variable that says no", (test) => {
    test.after(() => delete process.env["LANKV_MEMORY"]);
    for (const [value, variable] of [
      ["1", "LANKV_MEMORY"],
      ["0", undefined],
      ["false", undefined],
      ["", undefined],
    ] as const) {
      process.env["LANKV_MEMORY"] = value;
      assert.equal(flag("--memory", "").envVar, variable, JSON.stringify(value));
    }
  });
});
