/** The daemon's log: one line each, for people, for journald, or in JSON for machines. */
import { format, inspect } from "node:util";
import createDebug from "debug";
import { toJson } from "../resp/json.js";
import { toPrintableText } from "./printable.js";
import type { Colors } from "./terminal.js";

const LEVELS = ["error", "warn", "info", "debug"] as const;
export type Level = (typeof LEVELS)[number];

export interface LogOptions {
  /** What is less urgent is left out. */
  readonly level: Level;
  readonly isJson: boolean;
  readonly colors: Colors;
}

export type Facts = Readonly<Record<string, string | number>>;

export class Log {
  readonly #stream: NodeJS.WritableStream;
  readonly #options: LogOptions;

  /** With level debug, what the modules say through `debug` is logged as well. */
  constructor(stream: NodeJS.WritableStream, options: LogOptions) {
    this.#stream = stream;
    this.#options = options;
    if (options.level !== "debug") return;
    createDebug.enable("lankv:*");
    // Without colours, which could not be told from those that others sent.
    createDebug.formatters["O"] = (value: unknown) => inspect(value);
    createDebug.formatArgs = function (args: unknown[]) {
      args[0] = `${this.namespace}: ${String(args[0])}`;
    };
    createDebug.log = (...args: unknown[]) => {
      this.debug(format(...args));
    };
  }

  error(message: string, facts?: Facts): void {
    this.#write("error", message, facts);
  }

  warn(message: string, facts?: Facts): void {
    this.#write("warn", message, facts);
  }

  info(message: string, facts?: Facts): void {
    this.#write("info", message, facts);
  }

  debug(message: string, facts?: Facts): void {
    this.#write("debug", message, facts);
  }

  #write(level: Level, message: string, facts: Facts = {}): void {
    const { level: wanted, isJson, colors } = this.#options;
    if (LEVELS.indexOf(level) > LEVELS.indexOf(wanted)) return;
    const time = new Date().toISOString();
    if (isJson) {
      this.#stream.write(`${toJson({ time, level, message, ...facts })}\n`);
      return;
    }
    const paint = { error: colors.red, warn: colors.yellow, info: colors.green, debug: colors.dim }[level];
    const shown = Object.entries(facts).map(
      ([name, value]) => ` ${colors.dim(`${name}=`)}${quote(String(value))}`,
    );
    const line = toPrintableText(message.replace(/\s*\n\s*/g, " "));
    this.#stream.write(`${colors.dim(time)} ${paint(level.padEnd(5))} ${line}${shown.join("")}\n`);
  }
}

export function isLevel(text: string): text is Level {
  return LEVELS.some((level) => level === text);
}

function quote(text: string): string {
  return /^[^\s"=]+$/.test(text) ? toPrintableText(text) : toJson(text);
}
