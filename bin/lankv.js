#!/usr/bin/env node
import { existsSync } from "node:fs";

const main = new URL("../dist/program/main.js", import.meta.url);
if (existsSync(main)) {
  process.exitCode = await (await import(main.href)).main(process.argv.slice(2));
} else {
  console.error('lankv: it has not been built yet (dist/program/main.js is missing): run "npm run build"');
  process.exitCode = 1;
}
