import js from "@eslint/js";
import { defineConfig } from "eslint/config";
import { createNodeResolver, importX } from "eslint-plugin-import-x";
import tseslint from "typescript-eslint";

const root = `${import.meta.dirname}/..`;

/** What each folder of src may import from src, besides itself. */
const mayImport = {
  core: [],
  wire: ["core"],
  net: ["wire", "core"],
  storage: ["wire", "core"],
  resp: ["wire", "core"],
  http: ["wire", "core"],
  node: ["net", "storage", "resp", "http", "wire", "core"],
  cli: ["node", "net", "storage", "resp", "http", "wire", "core"],
};

const importZones = [
  ...Object.entries(mayImport).map(([folder, lower]) => ({
    target: `./src/${folder}`,
    from: "./src",
    except: [folder, ...lower].map((name) => `./${name}`),
    message:
      lower.length === 0
        ? `src/${folder} imports only itself.`
        : `src/${folder} imports only itself and ${lower.join(", ")}.`,
  })),
  {
    target: "./src/index.ts",
    from: "./src",
    except: ["./node", "./wire", "./core"],
    message: "src/index.ts exports the library: it imports only node, wire and core.",
  },
];

/** Ambient time, chance, input and output: the pure folders get what they need of these as arguments. */
const impureGlobals = [
  "Date",
  "Promise",
  "clearImmediate",
  "clearInterval",
  "clearTimeout",
  "console",
  "crypto",
  "fetch",
  "global",
  "globalThis",
  "performance",
  "process",
  "queueMicrotask",
  "setImmediate",
  "setInterval",
  "setTimeout",
];

const nodeGlobals = Object.fromEntries(
  ["Buffer", "URL", "clearTimeout", "console", "fetch", "performance", "process", "setTimeout"].map(
    (name) => [name, "readonly"],
  ),
);

export default defineConfig(
  { ignores: ["dist/", ".build/"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  js.configs.recommended,
  // Keys and frames are bytes: control characters in patterns are meant.
  { rules: { "no-control-regex": "off" } },
  {
    files: ["**/*.{js,mjs}"],
    languageOptions: { globals: nodeGlobals },
  },
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.recommendedTypeChecked, tseslint.configs.stylisticTypeChecked],
    plugins: { "import-x": importX },
    languageOptions: {
      parserOptions: { project: ".config/tsconfig.test.json", tsconfigRootDir: root },
    },
    settings: {
      "import-x/parsers": { "@typescript-eslint/parser": [".ts"] },
      "import-x/extensions": [".ts"],
      "import-x/resolver-next": [
        createNodeResolver({
          extensions: [".ts", ".js", ".json"],
          extensionAlias: { ".js": [".ts", ".js"] },
        }),
      ],
    },
    rules: {
      eqeqeq: "error",
      "import-x/no-cycle": ["error", { ignoreExternal: true }],
      "import-x/no-self-import": "error",
      "import-x/no-unresolved": ["error", { ignore: ["^node:", "^[^.]"] }],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/no-non-null-assertion": "error",
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": "error",
      "@typescript-eslint/return-await": ["error", "in-try-catch"],
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: false },
      ],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", caughtErrors: "all" }],
    },
  },
  {
    files: ["src/**/*.ts"],
    rules: {
      "@typescript-eslint/consistent-type-assertions": ["error", { assertionStyle: "never" }],
      "import-x/no-restricted-paths": ["error", { basePath: root, zones: importZones }],
    },
  },
  {
    files: ["src/{core,wire}/**/*.ts"],
    rules: {
      "no-restricted-globals": [
        "error",
        ...impureGlobals.map((name) => ({ name, message: "src/core and src/wire are pure: pass it in." })),
      ],
      "no-restricted-properties": [
        "error",
        { object: "Math", property: "random", message: "src/core and src/wire are pure: pass it in." },
      ],
      "no-restricted-imports": [
        "error",
        {
          patterns: [{ regex: "^[^.]", message: "src/core and src/wire import nothing from outside src." }],
        },
      ],
      "no-restricted-syntax": [
        "error",
        { selector: ":function[async=true]", message: "src/core and src/wire are synchronous." },
        { selector: "AwaitExpression", message: "src/core and src/wire are synchronous." },
        { selector: "ForOfStatement[await=true]", message: "src/core and src/wire are synchronous." },
        { selector: "ImportExpression", message: "src/core and src/wire are synchronous." },
        { selector: 'MetaProperty[meta.name="import"]', message: "src/core and src/wire are pure." },
      ],
    },
  },
  {
    files: ["test/**/*.ts", "scripts/**/*.ts"],
    rules: {
      "@typescript-eslint/no-floating-promises": [
        "error",
        {
          allowForKnownSafeCalls: [
            { from: "package", package: "node:test", name: ["describe", "it", "suite", "test"] },
          ],
        },
      ],
      "@typescript-eslint/require-await": "off",
    },
  },
);
