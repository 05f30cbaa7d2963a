import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Whatever nothing refers to is gone afterwards. */
export async function collectGarbage(): Promise<void> {
  setFlagsFromString("--expose-gc");
  const gc: unknown = runInNewContext("gc");
  // What a turn has looked at stays until its end.
  await setImmediate();
  if (typeof gc === "function") Reflect.apply(gc, undefined, []);
}
