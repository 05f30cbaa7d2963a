/** `lankv peers`. */
import { setTimeout as pause } from "node:timers/promises";
import ms from "ms";
import { withLoadingDaemon } from "./connect.js";
import { EXIT, type ExitCode } from "./exit.js";
import type { GlobalFlags } from "./flags.js";
import { toPrintableText } from "./printable.js";
import { toObjects, toText } from "./replies.js";
import { colorsFor, toTable } from "./terminal.js";

const WATCH_EVERY_MS = 1_000;
/** Clocks that are off by less are not worth a word. */
const CLOCK_OFF_MS = 2_000;

const CLEAR_SCREEN = "\x1b[H\x1b[J";

export interface PeersFlags extends GlobalFlags {
  readonly watch?: true;
}

/** With --watch it ends when it is interrupted. */
export function peers(flags: PeersFlags): Promise<ExitCode> {
  return withLoadingDaemon(flags, async (client) => {
    for (;;) {
      const reply = await client.call("LANKV.PEERS");
      const shown = flags.json === true ? `${toText(reply)}\n` : await toList(reply, flags);
      const isRedrawn = flags.watch === true && flags.json !== true && process.stdout.isTTY;
      process.stdout.write(isRedrawn ? CLEAR_SCREEN + shown : shown);
      if (flags.watch !== true) return EXIT.ok;
      await pause(WATCH_EVERY_MS);
    }
  });
}

async function toList(reply: unknown, flags: GlobalFlags): Promise<string> {
  const colors = colorsFor(process.stdout, flags);
  const paint: Readonly<Record<string, (text: string) => string>> = {
    up: colors.green,
    quiet: colors.yellow,
    gone: colors.red,
  };
  const rows = toObjects(reply).map((peer) => {
    const text = (name: string): string => toPrintableText(String(peer[name]));
    const offsetMs = Number(peer["clockOffsetMs"]);
    return [
      text("name"),
      text("address"),
      (paint[text("state")] ?? String)(text("state")),
      text("phase"),
      text("behind"),
      peer["rttMs"] === null ? "-" : `${text("rttMs")} ms`,
      text("keys"),
      text("root"),
      Math.abs(offsetMs) < CLOCK_OFF_MS
        ? "ok"
        : colors.yellow(`${offsetMs < 0 ? "-" : "+"}${ms(Math.abs(offsetMs))}`),
      text("version"),
    ];
  });
  if (rows.length === 0)
    return "no peers yet; where 'lankv serve' runs on another machine, 'lankv doctor' says why it is not found\n";
  const head = ["NAME", "ADDRESS", "STATE", "PHASE", "BEHIND", "RTT", "KEYS", "ROOT", "CLOCK", "VERSION"];
  return `${await toTable(head, rows)}\n`;
}
