/** A simulated machine: its network interface and its wall clock. */
import type { FsyncPolicy } from "../../src/core/saving.js";
import type { Schedule } from "./schedule.js";

/** Wall clock at the start of every run: 2026-01-01T00:00Z. */
const START_WALL_MS = 1_767_225_600_000;

export class Host {
  /** Whether it has a network, as it knows itself. */
  isOnline = true;
  /** How far its wall clock is off. */
  skewMs = 0;
  /** How its processes save; undefined = they keep nothing. */
  fsync: FsyncPolicy | undefined;

  constructor(
    readonly name: string,
    public address: string,
    private readonly schedule: Schedule,
  ) {}

  get wallMs(): number {
    return START_WALL_MS + this.schedule.nowMs + this.skewMs;
  }
}
