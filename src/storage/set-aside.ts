/**
 * Sets segments in order that were found torn or damaged, without losing anything that can be read: first it becomes durable
 * elsewhere, then the file is cut or gets a name under which it is not read any more. A damaged file is never removed.
 */
import { rename, truncate, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { readAgain, type Finding } from "./load.js";
import { syncDirectory, type ClosedSegment } from "./segment.js";
import type { Segments } from "./segments.js";
import type { Damage, Torn } from "./storage.js";

interface Order {
  readonly damages: readonly Damage[];
  readonly torn: readonly Torn[];
  /** Damaged files that hold records which could not be saved elsewhere. */
  readonly left: readonly ClosedSegment[];
  /** Why something of what was given is not durable, if it is not. */
  readonly loss: Error | undefined;
}

/**
 * @param findings oldest first
 * @param segmentBytes from this length on, another segment is begun
 */
export async function putInOrder(
  findings: readonly Finding[],
  segments: Segments,
  segmentBytes: number,
): Promise<Order> {
  const firstNew = segments.nextNumber;
  const isFine = ({ needsRescue, isDamaged }: Finding) => !needsRescue && !isDamaged;
  // Before anything is appended: the tail begins with marks of those that are whole.
  segments.setClosed(findings.filter(isFine).map(({ segment }) => segment));
  const { rescued, loss } = await rescueAll(findings, segments, segmentBytes);
  const damages: Damage[] = [];
  const torn: Torn[] = [];
  const kept: ClosedSegment[] = [];
  const left: ClosedSegment[] = [];
  for (const finding of findings) {
    const { segment, size, kept: bytes, isDamaged, bytesLost, records, keepsRecords, needsRescue } = finding;
    const isSafe = !needsRescue || rescued.has(finding);
    if (isSafe && finding.bytesTorn > 0) torn.push({ path: segment.path, bytes: finding.bytesTorn });
    if (isDamaged) {
      const path = isSafe ? await setAside(segment.path) : undefined;
      const isSetAside = path !== undefined;
      damages.push({
        path: path ?? segment.path,
        bytesLost,
        recordsSaved: records,
        isSetAside,
        isMissing: false,
      });
      // Its records may be nowhere else.
      if (!isSafe) left.push({ ...segment, length: size });
    } else if (isSafe && !keepsRecords) {
      await isDone(unlink(segment.path));
    } else if (isSafe) {
      if (bytes < size) await isDone(truncate(segment.path, bytes));
      kept.push(segment);
    } else kept.push({ ...segment, length: size, synced: 0 });
  }
  // What was rescued may have filled a segment.
  const isNew = ({ number }: ClosedSegment) => number >= firstNew;
  segments.setClosed([...kept, ...segments.closed.filter(isNew)]);
  return { damages, torn, left, loss };
}

/** @returns those whose records are durable elsewhere now, and why not all of them are */
async function rescueAll(
  findings: readonly Finding[],
  segments: Segments,
  segmentBytes: number,
): Promise<{ readonly rescued: ReadonlySet<Finding>; readonly loss: Error | undefined }> {
  const rescued = new Set<Finding>();
  let loss: Error | undefined;
  for (const finding of findings) {
    if (!finding.needsRescue) continue;
    const failure = await failureOf(rescue(finding, segments, segmentBytes));
    if (failure === undefined) rescued.add(finding);
    loss ??= failure;
  }
  const failure = rescued.size === 0 ? undefined : await failureOf(segments.sync());
  // A tail that has broken may have had those from before in it.
  const unsure = failure ?? segments.loss;
  if (unsure !== undefined) rescued.clear();
  return { rescued, loss: loss ?? unsure };
}

async function rescue(finding: Finding, segments: Segments, segmentBytes: number): Promise<void> {
  for await (const records of readAgain(finding)) {
    if (records.length > 0) await segments.append({ records, slots: [] }, segmentBytes);
  }
}

/**
 * Gives a damaged file a name under which it is not read any more.
 * @returns the new path; undefined when that cannot be done
 */
export async function setAside(path: string): Promise<string | undefined> {
  const date = new Date()
    .toISOString()
    .replace(/\.\d+Z$/, "Z")
    .replaceAll(":", "");
  const aside = `${path}.damaged-${date}`;
  return (await isDone(moveAside(path, aside))) ? aside : undefined;
}

async function moveAside(path: string, aside: string): Promise<void> {
  await rename(path, aside);
  await syncDirectory(dirname(path));
}

/** Whether it could be done; when not, because a disk is full, read-only or failing, all is as it was and no worse. */
async function isDone(action: Promise<unknown>): Promise<boolean> {
  return (await failureOf(action)) === undefined;
}

async function failureOf(action: Promise<unknown>): Promise<Error | undefined> {
  return action.then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
  );
}
