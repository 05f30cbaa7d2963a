/** Chance from a seed: the same seed gives the same numbers on every machine (sfc32 by Chris Doty-Humphrey). */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number) {
    this.#a = seed | 0;
    this.#b = Math.floor(seed / 0x1_0000_0000) | 0;
    this.#c = 0x6c616e6b;
    for (let i = 0; i < 15; i += 1) this.#next();
  }

  /** Uniform in 0 <= x < 1. */
  readonly unit = (): number => this.#next() / 0x1_0000_0000;

  /** A whole number, 0 <= n < limit. */
  below(limit: number): number {
    return Math.floor(this.unit() * limit);
  }

  between(least: number, most: number): number {
    return least + this.unit() * (most - least);
  }

  /** A whole number, both ends included. */
  wholeBetween(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  /** Time to the next of events that come at random, so many milliseconds apart in the mean. */
  waitMs(meanMs: number): number {
    return -Math.log(1 - this.unit()) * meanMs;
  }

  pick<T>(items: readonly T[]): T | undefined {
    return items[this.below(items.length)];
  }

  /** 16 hexadecimal digits. */
  id(): string {
    const half = () => this.#next().toString(16).padStart(8, "0");
    return half() + half();
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.alloc(length);
    for (let at = 0; at < length; at += 1) bytes[at] = this.below(256);
    return bytes;
  }

  #next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }
}
