/** A set of slots (record-map.ts), at a bit for each: small whole numbers, as many as there are keys. */
export class SlotSet {
  #words = new Uint32Array(32);

  has(slot: number): boolean {
    return ((this.#words[slot >>> 5] ?? 0) & (1 << (slot & 31))) !== 0;
  }

  add(slot: number): void {
    const word = slot >>> 5;
    if (word >= this.#words.length) {
      const longer = new Uint32Array(Math.max(2 * this.#words.length, word + 1));
      longer.set(this.#words);
      this.#words = longer;
    }
    this.#words[word] = (this.#words[word] ?? 0) | (1 << (slot & 31));
  }

  delete(slot: number): void {
    const word = slot >>> 5;
    if (word < this.#words.length) this.#words[word] = (this.#words[word] ?? 0) & ~(1 << (slot & 31));
  }

  clear(): void {
    this.#words.fill(0);
  }
}
