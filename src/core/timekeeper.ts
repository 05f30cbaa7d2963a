/** Keeps the clock by those of the peers: who is heard tells its own, and the median of all corrects this one. */
import type { Clock } from "./clock.js";
import type { Now } from "./effect.js";
import type { Vitals } from "./message.js";
import type { Peer } from "./peer.js";
import type { Presence } from "./presence.js";

export class Timekeeper {
  constructor(
    private readonly clock: Clock,
    private readonly presence: Presence,
  ) {}

  /** A peer has told its clock. */
  handleVitals({ wallMs }: Vitals, peer: Peer, now: Now): void {
    peer.readClock(wallMs, now.wallMs);
    this.correct(now);
  }

  /** The wall clock was set: whoever is there says soon whether it is right now. */
  handleJump(now: Now): void {
    for (const peer of this.presence.peers.values()) peer.forgetClock();
    this.correct(now);
    this.clock.doubt(now.monoMs);
  }

  /** Those who are there may be others than before. */
  correct(now: Now): void {
    this.clock.correct(
      this.presence.linked.map((peer) => peer.clockOffsetMs),
      now.monoMs,
    );
  }
}
