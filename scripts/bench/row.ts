/** A line of the table: what was measured, what Redis reached, and whether the target is met. */
export interface Row {
  readonly measure: string;
  readonly lankv: string;
  readonly redis: string;
  readonly result: string;
  readonly target: string;
  readonly isMet: boolean;
}

type Format = (value: number) => string;

export const perSecond: Format = (value) => `${(value / 1000).toFixed(0)} k/s`;
export const milliseconds: Format = (value) => `${value.toFixed(value < 10 ? 2 : 0)} ms`;
export const megabytes: Format = (value) => `${(value / 1e6).toFixed(value < 1e7 ? 2 : 0)} MB`;
export const bytesPerSecond: Format = (value) => `${value.toFixed(0)} B/s`;
export const bytes: Format = (value) => `${value.toFixed(0)} B`;
export const seconds: Format = (value) => `${value.toFixed(2)} s`;
export const percent: Format = (value) => `${value.toFixed(2)} %`;

/** lankv must reach at least this share of Redis. */
export function ratioRow(
  measure: string,
  lankv: number,
  redis: number,
  atLeast: number,
  format: Format,
): Row {
  const ratio = lankv / redis;
  const target = `>= ${String(atLeast)} x`;
  const isMet = ratio >= atLeast;
  return {
    measure,
    lankv: format(lankv),
    redis: format(redis),
    result: `${ratio.toFixed(2)} x`,
    target,
    isMet,
  };
}

/** lankv may take at most so many times what Redis takes. */
export function ceilingRow(
  measure: string,
  lankv: number,
  redis: number,
  atMost: number,
  format: Format,
): Row {
  const row = ratioRow(measure, lankv, redis, 0, format);
  return { ...row, target: `<= ${String(atMost)} x`, isMet: lankv / redis <= atMost };
}

/** Nothing is aimed at. */
export function factRow(measure: string, lankv: number, redis: number, format: Format): Row {
  return { ...ratioRow(measure, lankv, redis, 0, format), target: "", isMet: true };
}

export function limitRow(measure: string, value: number, below: number, format: Format): Row {
  const isMet = value < below;
  return { measure, lankv: format(value), redis: "", result: "", target: `< ${format(below)}`, isMet };
}

export function floorRow(measure: string, value: number, above: number, format: Format): Row {
  return { ...limitRow(measure, value, 0, format), target: `> ${format(above)}`, isMet: value > above };
}
