/** What was counted since the start, or since CONFIG RESETSTAT. */
export class Stats {
  /** Connections that were taken. */
  connections = 0;
  /** Connections beyond the bound. */
  rejected = 0;
  /** Commands that were carried out, those of a transaction included. */
  commands = 0;
  /** Connections that were cut off because the buffers of all clients held too much. */
  evicted = 0;

  reset(): void {
    this.connections = 0;
    this.rejected = 0;
    this.commands = 0;
    this.evicted = 0;
  }
}
