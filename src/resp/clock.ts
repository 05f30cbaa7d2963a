/** Whole seconds of a clock that nothing sets; only differences mean anything. */
export function seconds(): number {
  return Math.floor(performance.now() / 1000);
}
