import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { DataDir } from "../../../src/node/data-dir.js";

const dataDirModule = new URL("../../../src/node/data-dir.js", import.meta.url).href;

/** Opens the directory as a node does, and prints the error that comes of it. */
const opener = `
  const { DataDir } = await import(${JSON.stringify(dataDirModule)});
  try {
    const dataDir = await DataDir.open(process.argv[1]);
    await dataDir.writeNodeId("0123456789abcdef");
    console.log("opened");
  } catch (error) {
    console.log(error.code, error.stateChanged, error.message);
  }
  process.exit();
`;

describe("the data directory", () => {
  let scratch = "";
  let path = "";
  const opened: DataDir[] = [];

  beforeEach(() => {
    scratch = mkdtempSync(join(tmpdir(), "lankv-"));
    path = join(scratch, "state", "lankv");
  });

  afterEach(async () => {
    for (const dataDir of opened.splice(0)) await dataDir.close();
    rmSync(scratch, { recursive: true });
  });

  async function openAt(where: string): Promise<DataDir> {
    const dataDir = await DataDir.open(where);
    opened.push(dataDir);
    return dataDir;
  }

  async function failsAt(where: string, message: RegExp): Promise<void> {
    await assert.rejects(openAt(where), { name: "LankvError", code: "LANKV_DATA_DIR", message });
  }

  /** What opening a directory says that is a mount of its own, made with these options, or that is below it. */
  function openOnMount(options: string, below = "", mount = path): string {
    mkdirSync(path, { recursive: true });
    const script = `mount -t tmpfs -o ${options} tmpfs "$1" && exec "$2" --input-type=module --eval "$3" "$1$4"`;
    const args = ["-Urm", "sh", "-c", script, "sh", mount, process.execPath, opener, below];
    return execFileSync("unshare", args, { encoding: "utf8" }).trim();
  }

  it("is made with all that leads to it, for this user only", async () => {
    await openAt(path);
    assert.equal(statSync(path).mode & 0o777, 0o700);
  });

  it("keeps the node id", async () => {
    const first = await openAt(path);
    assert.equal(await first.readNodeId(), undefined);
    await first.writeNodeId("0123456789abcdef");
    assert.equal(readFileSync(join(path, "node-id"), "utf8"), "0123456789abcdef\n");
    await first.close();
    const second = await openAt(path);
    assert.equal(await second.readNodeId(), "0123456789abcdef");
  });

  it("takes a node id that was cut short for none", async () => {
    const dataDir = await openAt(path);
    for (const text of ["", "0123", "0123456789ABCDEF\n", "0123456789abcdef0", "\u0000".repeat(16)]) {
      writeFileSync(join(path, "node-id"), text);
      assert.equal(await dataDir.readNodeId(), undefined, JSON.stringify(text));
    }
  });

  it("belongs to one at a time", async () => {
    const first = await openAt(path);
    await assert.rejects(openAt(path), {
      name: "LankvError",
      code: "LANKV_IN_USE",
      stateChanged: false,
      message: /Another lankv process uses the data directory .*lankv stop/,
    });
    await first.close();
    assert.ok(!existsSync(join(path, "lock")));
    await openAt(path);
  });

  it("cannot be where something else is", async () => {
    writeFileSync(join(scratch, "file"), "mine");
    await failsAt(join(scratch, "file"), /cannot be used: it is not a directory/);
    await failsAt(join(scratch, "file", "below"), /a part of the path is not a directory/);
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, "lock"), "mine");
    await failsAt(path, /what is named lock in it is not lankv's/);
    assert.equal(readFileSync(join(path, "lock"), "utf8"), "mine");
  });

  it("cannot have a path longer than a socket's may be", async () => {
    await failsAt(join(scratch, "d".repeat(108)), /path is too long: .* at most 102 fit.*--data-dir/);
  });

  it("says when its node id cannot be read", async () => {
    const dataDir = await openAt(path);
    mkdirSync(join(path, "node-id"));
    await assert.rejects(dataDir.readNodeId(), { code: "LANKV_DATA_DIR" });
    await assert.rejects(dataDir.writeNodeId("0123456789abcdef"), { code: "LANKV_DATA_DIR" });
  });

  it("says when the file system is read-only", () => {
    const refusal = /^LANKV_DATA_DIR false .*the file system is read-only.*--memory/;
    assert.match(openOnMount("ro"), refusal);
    assert.match(openOnMount("ro", "/new/lankv"), refusal);
  });

  it("can be a mount within a file system that has nothing to sync", () => {
    assert.equal(openOnMount("size=1m", "", "/proc/fs"), "opened");
  });

  it("says when nothing can be made there", { skip: process.platform !== "linux" }, () => {
    // In a process of its own: a search without an end would hold up every other test.
    const args = ["--input-type=module", "--eval", opener, "/proc/lankv/data"];
    const said = execFileSync(process.execPath, args, { encoding: "utf8", timeout: 20_000 });
    assert.match(said, /^LANKV_DATA_DIR false .*it is not there/);
  });

  it("says when the disk is full", () => {
    assert.match(openOnMount("nr_inodes=1"), /^LANKV_DATA_DIR false .*the disk is full/);
    assert.equal(openOnMount("size=1m"), "opened");
  });

  it("says when this user may not write there", async () => {
    mkdirSync(path, { recursive: true });
    chmodSync(path, 0o500);
    const isRoot = process.getuid?.() === 0;
    // Root may write anywhere, so it is somebody else for a moment, who may not even look into the scratch folder.
    if (isRoot) process.seteuid?.(65_534);
    try {
      await failsAt(path, /this user may not write there/);
    } finally {
      if (isRoot) process.seteuid?.(0);
      chmodSync(path, 0o700);
    }
  });
});
