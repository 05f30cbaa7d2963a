/** The lines of a file or a pipe, whatever its size and theirs. */

/** A line has no more bytes: the longest key and value, every byte of them escaped, take 6.3 million. */
export const LINE_BYTES_MAX = 8_388_608;

/** A place between two lines. */
export interface Place {
  /** Lines before it. */
  readonly line: number;
  /** Bytes before it. */
  readonly bytes: number;
}

export const START: Place = { line: 0, bytes: 0 };

export interface Line {
  /** Without its end; undefined when it is longer than {@link LINE_BYTES_MAX}. */
  readonly text: Buffer | undefined;
  /** The place behind it; `end.line` is its number, from 1. */
  readonly end: Place;
}

/**
 * The lines that end in each chunk. No more is kept of a line than may be used of it.
 * @param from where the chunks begin
 */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array>,
  from: Place,
  bytesMax = LINE_BYTES_MAX,
): AsyncGenerator<readonly Line[], void> {
  let place = from;
  let parts: Uint8Array[] = [];
  let length = 0;
  const end = (lineEndBytes: 0 | 1): Line => {
    place = { line: place.line + 1, bytes: place.bytes + length + lineEndBytes };
    const text = length > bytesMax ? undefined : Buffer.concat(parts);
    parts = [];
    length = 0;
    return { text, end: place };
  };
  for await (const chunk of chunks) {
    const lines: Line[] = [];
    for (let at = 0; ;) {
      const endAt = chunk.indexOf(0x0a, at);
      const part = chunk.subarray(at, endAt === -1 ? undefined : endAt);
      length += part.length;
      if (length > bytesMax) parts = [];
      else parts.push(part);
      if (endAt === -1) break;
      lines.push(end(1));
      at = endAt + 1;
    }
    if (lines.length > 0) yield lines;
  }
  if (length > 0) yield [end(0)];
}
