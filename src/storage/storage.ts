/**
 * Where records are kept when the power is off.
 *
 * A storage takes records in any order and gives back, after any end of the process or of the power, at least the
 * greatest record of each key among those that were durable; it may give others of the same key too, and records that
 * were saved but not yet synced. That is enough: records say themselves which of them wins, so nothing is ever
 * replaced or removed in place, and no order has to be kept.
 *
 * Calls come one at a time: the next one begins when the one before has settled.
 */
import type { KvRecord, Records, StoredRecord } from "../core/record.js";

/** A part of what is loaded. */
export interface Loaded {
  /** As they are until the next part is asked for. */
  readonly records: readonly StoredRecord[];
  /** Bytes that were read so far, and that there are to read. */
  readonly bytesDone: number;
  readonly bytesTotal: number;
}

/** Something was not readable. */
export interface Damage {
  /** The file that was found damaged, as it is named now. */
  readonly path: string;
  /** Bytes that could not be read. */
  readonly bytesLost: number;
  /** Records that could. They are saved again when the file is set aside, and still in it when it is not. */
  readonly recordsSaved: number;
  /** Whether the file was set aside. It stays where it is when the disk has no room for its records, or is read-only. */
  readonly isSetAside: boolean;
  /** Whether there is no such file any more: somebody has removed it while the node ran. */
  readonly isMissing: boolean;
}

/** The end of a file that was not written whole when the process or the power ended. Nothing was promised of it. */
export interface Torn {
  readonly path: string;
  /** Bytes that were no whole entry, and were cut off. */
  readonly bytes: number;
}

/** A file that cannot be freed of what is superseded, so that more stays on disk than counts. */
export interface Stuck {
  readonly path: string;
  /** What the system said. */
  readonly cause: Error;
}

/** What storage has to know of the records in memory, so as to free what no longer counts. */
export interface Contents {
  /** Number of records, tombstones included. */
  readonly records: number;
  /** Bytes of all keys and values. */
  readonly bytes: number;
  /**
   * Whether a greater record of this one's key, or its remains, has been saved. Not while that record waits to be saved, or
   * to be saved again after a failure: until then, this one may be all that is durable of its key. Nor while a call of
   * {@link Storage.save} is under way that brings it: cleaning may ask before that call has written anything.
   */
  isSuperseded(record: KvRecord): boolean;
  /** Where there is no such thing, what was saved is read again to tell what counts of it, and a record that is kept twice stays so. */
  readonly slots?: Slots;
}

/** The records in memory, by *slot*: a number for each key, from 0 on and less than {@link Contents.records}, always the same. */
export interface Slots {
  /** The slot of a record's key, when memory holds that record or a greater one, or its remains; else undefined. */
  of(record: KvRecord): number | undefined;
  /** What memory holds now, as it lies there until that changes. */
  at(slot: number): StoredRecord | undefined;
  /** Bytes of its key and value. */
  bytesAt(slot: number): number;
}

export interface Storage {
  /**
   * Gives everything that is kept, once, before anything is saved. Damage is no error: what is readable is given, what is not
   * is set aside.
   * @throws {LankvError} LANKV_DATA_DIR: it cannot be read at all; LANKV_DATA_FORMAT: another version wrote it
   */
  load(): AsyncGenerator<Loaded, void>;
  /**
   * What {@link Storage.load} found, and what was found later: when there is more after a save than there was before it,
   * records may be gone that were durable, and all have to be saved again.
   */
  readonly damages: readonly Damage[];
  /**
   * Whether all that was loaded is durable, but for what {@link Storage.save} brings. If not, the first save that is to sync
   * fails, and from then on it is, by the savings that follow. Default: it is not known.
   */
  readonly isLoadedDurable?: boolean;
  /** What {@link Storage.load} has cut off. */
  readonly torn: readonly Torn[];
  /** The files that cannot be freed now; each is tried again. */
  readonly stuck: readonly Stuck[];
  /**
   * Saves records. They survive the end of the process when this resolves, and that of the power as well when `sync`
   * is set, with all that was saved before. May be called with no records, to sync.
   * @param records each is asked for once, when it is written
   * @param slots those of the records, in their order, which are what {@link Slots.at} says of them or said before; none =
   *   they are not known
   * @throws an error of the system, with its `code`; whether anything of it was saved is not known then
   */
  save(records: Records, sync: boolean, slots?: readonly number[]): Promise<void>;
  /** Bytes that it takes on disk. */
  readonly bytes: number;
  /**
   * Copies everything that is saved into a directory that is missing or empty, while records go on being saved.
   * @throws an error of the system, with its `code`
   */
  backup(directory: string): Promise<void>;
  /** Frees what it holds; what was saved without a sync stays so. */
  close(): Promise<void>;
}
