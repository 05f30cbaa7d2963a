/** Ctrl-C during a command that has something to say before it ends, from when it has. */
import { EXIT } from "./exit.js";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/**
 * Runs `use`, which is given a function to call once it has begun something that is to be ended with care: the signal that it
 * returns is aborted when the user, or the system, asks the program to end. Before that, and the second time, the program
 * ends at once: a daemon that loads its keys may keep it waiting for long.
 */
export async function interruptible<T>(use: (begin: () => AbortSignal) => Promise<T>): Promise<T> {
  const interrupt = new AbortController();
  let hasBegun = false;
  const handle = (): void => {
    if (!hasBegun) process.exit(EXIT.interrupted);
    interrupt.abort();
  };
  for (const signal of SIGNALS) process.once(signal, handle);
  try {
    return await use(() => {
      hasBegun = true;
      return interrupt.signal;
    });
  } finally {
    for (const signal of SIGNALS) process.off(signal, handle);
  }
}
