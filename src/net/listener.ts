/** Calling what others gave to be called. */

/**
 * Calls a listener. What it throws is its author's: it becomes an uncaught exception of the process, and whoever called
 * goes on.
 */
export function callListener(listener: () => void): void {
  try {
    listener();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
