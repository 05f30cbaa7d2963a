/** Counts by name. */
export class Tallies {
  readonly #counts = new Map<string, number>();

  add(name: string, count = 1): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + count);
  }

  addAll(other: Tallies): void {
    for (const [name, count] of other.#counts) this.add(name, count);
  }

  get(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  /** "3 crash, 12 partition", by name. */
  toString(): string {
    return [...this.#counts]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, count]) => `${String(count)} ${name}`)
      .join(", ");
  }
}
