/** Why the system refused something to do with files, in words that a user understands. */
import { codeOf } from "../net/claim-socket.js";

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "this user may not write there",
  EDQUOT: "the disk quota is used up",
  EEXIST: "a part of the path is not a directory",
  EFBIG: "a file would be longer than the system allows",
  EIO: "the disk has failed to read or write (I/O error)",
  EMFILE: "this process may hold no more files open",
  ENFILE: "the system can hold no more files open",
  ENODEV: "the disk is gone",
  ENOENT: "it is not there",
  ENOSPC: "the disk is full",
  ENOTDIR: "a part of the path is not a directory",
  ENXIO: "the disk is gone",
  EPERM: "this user may not write there",
  EROFS: "the file system is read-only",
};

/**
 * @param cause what the system threw
 * @param own what codes mean in this place, where that is more than in general
 */
export function reasonOf(cause: unknown, own: Readonly<Record<string, string>> = {}): string {
  const code = codeOf(cause);
  return own[code] ?? REASONS[code] ?? String(cause);
}
