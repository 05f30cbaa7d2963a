/** JSON that can be shown. */

/** The value as JSON in which DEL and the control characters of 8 bits, which a terminal obeys, are escaped too. */
export function toJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\x7f-\x9f]/g,
    (character) => `\\u00${character.charCodeAt(0).toString(16)}`,
  );
}
