/** Waiting for a key that is missing here while the peers are asked for it. */
import type { Bytes } from "../core/bytes.js";
import { LankvError } from "../core/error.js";
import type { Node } from "./node.js";

/**
 * Asks the peers for a key, and waits until it is here, nobody has it, or the time is up.
 * @throws {RangeError} the key is outside its bounds
 * @throws {LankvError} LANKV_CLOSED: the node was closed meanwhile
 * @throws the signal's reason when it is aborted
 */
export async function sought(
  node: Node,
  key: Bytes,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const end = (): void => {
      node.off("sought", onSought);
      node.off("closed", onClosed);
      signal?.removeEventListener("abort", onAbort);
    };
    const onSought = (soughtKey: Bytes): void => {
      if (soughtKey !== key) return;
      end();
      resolve();
    };
    const onClosed = (): void => {
      end();
      reject(new LankvError("LANKV_CLOSED", "This node was closed while somebody waited for a key."));
    };
    const onAbort = (): void => {
      end();
      const reason: unknown = signal?.reason;
      reject(reason instanceof Error ? reason : new DOMException(String(reason), "AbortError"));
    };
    node.on("sought", onSought);
    node.on("closed", onClosed);
    signal?.addEventListener("abort", onAbort);
    try {
      node.seek(key, timeoutMs);
    } catch (error) {
      end();
      throw error;
    }
  });
}
