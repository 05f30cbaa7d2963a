import type { Bytes } from "../core/bytes.js";
import type { Node } from "./node.js";

/** The value of a key unless it is missing, deleted or expired. Most values never expire, and need no record made of them. */
export function valueOf(node: Node, key: Bytes): Bytes | undefined {
  return node.map.lastingValue(key) ?? node.read(key)?.value;
}
