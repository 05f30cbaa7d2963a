/**
 * Sets segments in order that were found torn or damaged, without losing anything that can be read: first it becomes durable
 * elsewhere, then the file is cut or gets a name under which it is not read any more. A damaged file is never removed.
 */
import { rename, truncate, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { readAgain, type Finding } from "./load.js";
import { syncDirectory, type ClosedSegment } from "./segment.js";
import type { Segments } from "./segments.js";
import type { Damage } from "./storage.js";

/**
 * @param findings oldest first
 * @param segmentBytes from this length on, another segment is begun
 * @returns the damages
 */
export async function putInOrder(
  findings: readonly Finding[],
  segments: Segments,
  segmentBytes: number,
): Promise<Damage[]> {
  const firstNew = segments.nextNumber;
  const isFine = ({ needsRescue, isDamaged }: Finding) => !needsRescue && !isDamaged;
  // Before anything is appended: the tail begins with marks of those that are whole.
  segments.setClosed(findings.filter(isFine).map(({ segment }) => segment));
  const rescued = new Set(await rescueAll(findings, segments, segmentBytes));
  const damages: Damage[] = [];
  const kept: ClosedSegment[] = [];
  for (const finding of findings) {
    const { segment, size, isDamaged, bytesLost, records, needsRescue } = finding;
    const isSafe = !needsRescue || rescued.has(finding);
    if (isDamaged) {
      const path = isSafe ? await setAside(segment.path) : undefined;
      const isSetAside = path !== undefined;
      damages.push({ path: path ?? segment.path, bytesLost, recordsSaved: records, isSetAside });
    } else if (records === 0) {
      await isDone(unlink(segment.path));
    } else if (isSafe) {
      if (segment.length < size) await isDone(truncate(segment.path, segment.length));
      kept.push(segment);
    } else kept.push({ ...segment, length: size, synced: 0 });
  }
  // What was rescued may have filled a segment.
  const isNew = ({ number }: ClosedSegment) => number >= firstNew;
  segments.setClosed([...kept, ...segments.closed.filter(isNew)]);
  return damages;
}

/** @returns those whose records are durable elsewhere now */
async function rescueAll(
  findings: readonly Finding[],
  segments: Segments,
  segmentBytes: number,
): Promise<Finding[]> {
  const rescued: Finding[] = [];
  for (const finding of findings) {
    if (finding.needsRescue && (await isDone(rescue(finding, segments, segmentBytes)))) rescued.push(finding);
  }
  const isDurable = rescued.length === 0 || (await isDone(segments.sync()));
  return isDurable ? rescued : [];
}

async function rescue(finding: Finding, segments: Segments, segmentBytes: number): Promise<void> {
  for await (const records of readAgain(finding)) {
    if (records.length > 0) await segments.append(records, segmentBytes);
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
  return action.then(
    () => true,
    () => false,
  );
}
