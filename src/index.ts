/** The library: `open` and the types of what it returns. */
export { LankvError, type ErrorCode } from "./core/error.js";
export type { NodeId, State } from "./core/message.js";
export type { FsyncPolicy } from "./core/saving.js";
export type { Writer } from "./core/version.js";
export type {
  BatchOperation,
  Change,
  ConflictStatus,
  DamageStatus,
  Data,
  Entry,
  KeyRange,
  Lankv,
  LankvEvents,
  LoadingStatus,
  OpenOptions,
  PeerStatus,
  ReadyOptions,
  SetOptions,
  Status,
  StorageStatus,
  StuckStatus,
  WriteOptions,
  Written,
} from "./node/lankv.js";
export { open } from "./node/open.js";
