import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { makeDirectory } from "../../../src/storage/directory.js";

const scratch = mkdtempSync(join(tmpdir(), "lankv-directory-"));
after(() => rmSync(scratch, { recursive: true }));

describe("making a directory", () => {
  it("makes what is missing, for this user only, and tells what", async () => {
    const path = join(scratch, "a", "b");
    assert.deepEqual(await makeDirectory(path), [join(scratch, "a"), path]);
    assert.equal(statSync(join(scratch, "a")).mode & 0o777, 0o700);
    assert.deepEqual(await makeDirectory(path), []);
  });

  it("can be done by several at once", async () => {
    const path = join(scratch, "many", "at", "once");
    await Promise.all(Array.from({ length: 8 }, () => makeDirectory(path)));
    assert(statSync(path).isDirectory());
  });

  it("is refused where something else is", async () => {
    const file = join(scratch, "file");
    writeFileSync(file, "");
    await assert.rejects(makeDirectory(file), { code: "EEXIST" });
    await assert.rejects(makeDirectory(join(file, "below")), { code: "ENOTDIR" });
    const link = join(scratch, "link");
    symlinkSync(join(scratch, "nowhere"), link);
    await assert.rejects(makeDirectory(link), { code: "EEXIST" });
  });
});
