/** Ctrl-C during a command that has something to say before it ends. */
const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** Runs `use` with a signal that is aborted when the user, or the system, asks the program to end. */
export async function interruptible<T>(use: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const interrupt = new AbortController();
  const abort = (): void => {
    interrupt.abort();
  };
  for (const signal of SIGNALS) process.once(signal, abort);
  try {
    return await use(interrupt.signal);
  } finally {
    for (const signal of SIGNALS) process.off(signal, abort);
  }
}
