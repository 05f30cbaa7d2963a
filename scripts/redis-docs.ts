/** Prints docs/redis.md: `npm run docs:redis`. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { redisDocs } from "./docs/redis.js";

writeFileSync(path.resolve(import.meta.dirname, "../../docs/redis.md"), redisDocs());
