/** The file that the password of TCP clients is in. */
import { open } from "node:fs/promises";
import type { Bytes } from "../core/bytes.js";
import { LankvError } from "../core/error.js";
import { reasonOf } from "./reasons.js";

/** Longest password, in bytes. */
export const PASSWORD_BYTES_MAX = 512;

/** Permission of a file for everybody who is neither its owner nor in its group. */
const OTHERS_MODE = 0o007;

export interface PasswordFile {
  readonly password: Bytes;
  /** Whether every user of this host may read or change the file. */
  readonly isOpenToOthers: boolean;
}

/**
 * Reads the first line, without its end.
 * @throws {LankvError} LANKV_PASSWORD: the file cannot be read, or its first line has no length from 1 to 512 bytes
 */
export async function readPasswordFile(path: string): Promise<PasswordFile> {
  const { text, mode } = await readStart(path).catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  const password = /^[^\n]*/.exec(text)?.[0].replace(/\r$/, "") ?? "";
  if (password.length < 1 || password.length > PASSWORD_BYTES_MAX) {
    const found = password.length < 1 ? "none" : "more";
    throw new LankvError(
      "LANKV_PASSWORD",
      `The first line of the password file ${path} must have 1 to ${String(PASSWORD_BYTES_MAX)} bytes, and has ${found}. ` +
        "Write a password into it, or name another file with --password-file FILE.",
    );
  }
  // On Windows the mode says nothing.
  const isOpenToOthers = process.platform !== "win32" && (mode & OTHERS_MODE) !== 0;
  return { password, isOpenToOthers };
}

/** As much as a password and the end of its line can have, and the file's mode. A pipe may give it in parts. */
async function readStart(path: string): Promise<{ readonly text: Bytes; readonly mode: number }> {
  const file = await open(path);
  try {
    const buffer = Buffer.alloc(PASSWORD_BYTES_MAX + 2);
    let length = 0;
    for (let read = -1; read !== 0 && length < buffer.length; length += read) {
      read = (await file.read(buffer, length, buffer.length - length)).bytesRead;
    }
    return { text: buffer.toString("latin1", 0, length), mode: (await file.stat()).mode };
  } finally {
    await file.close();
  }
}

function unreadable(path: string, cause: unknown): LankvError {
  const mayNot = "this user may not read it";
  const reason = reasonOf(cause, { EACCES: mayNot, EISDIR: "it is a directory", EPERM: mayNot });
  return new LankvError(
    "LANKV_PASSWORD",
    `The password file ${path} cannot be read: ${reason}. Name another with --password-file FILE.`,
    { cause },
  );
}
