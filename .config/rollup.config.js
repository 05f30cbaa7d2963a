/**
 * The program in few files: dist/cli and all that it imports, as compiled, become dist/program. A module costs a start a third of
 * a millisecond, and serve has two hundred. docs/adr/0023-the-program-in-few-files.md
 */
import { readFileSync } from "node:fs";

const { dependencies } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));

export default {
  input: "dist/cli/main.js",
  external: [/^node:/, ...Object.keys(dependencies)],
  output: {
    dir: "dist/program",
    chunkFileNames: "[name].js",
    minifyInternalExports: false,
    sourcemap: true,
    sourcemapExcludeSources: true,
  },
};
