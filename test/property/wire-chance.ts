/** A seeded source of chance: the same seed gives the same cases on every machine. */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Uniform in 0 <= x < 2^32 (splitmix32). */
  u32(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let x = this.#state;
    x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
    x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
    return (x ^ (x >>> 15)) >>> 0;
  }

  /** Uniform in 0 <= x < bound. */
  below(bound: number): number {
    return this.u32() % bound;
  }

  /** Uniform in 0 <= x < 1. */
  fraction(): number {
    return this.u32() / 2 ** 32;
  }

  pick<T>(items: readonly [T, ...T[]]): T {
    return items[this.below(items.length)] ?? items[0];
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    for (let i = 0; i < length; i += 1) bytes[i] = this.u32();
    return bytes;
  }
}
