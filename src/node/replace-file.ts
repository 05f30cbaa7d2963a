import { rename, writeFile } from "node:fs/promises";

/**
 * Writes a file for this user only, as a whole or not at all, also when the power goes.
 * @throws an error of the system
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text, { mode: 0o600, flush: true });
  await rename(`${path}.new`, path);
}
