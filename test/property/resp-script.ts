/**
 * What a server has to answer to the requests of a connection: how many replies to each, and which to an ECHO. It knows the
 * rules of subscriptions, of the protocol's version and of CLIENT REPLY, and nothing of what commands do.
 */
import type { Bytes } from "../../src/core/bytes.js";
import type { Request } from "../../src/resp/request.js";
import { CHANNELS } from "./resp-streams.js";

/** The replies that will do; undefined = any one. */
type Expected = readonly Bytes[] | undefined;

/** What is expected: replies in order, of which some are known. */
export interface Script {
  readonly replies: readonly Expected[];
  /** Whether the server ends the connection. */
  readonly isEnded: boolean;
  /** The connection ends without a word: what was answered before may be lost. */
  readonly isCutOff: boolean;
}

const QUEUED = "+QUEUED\r\n";
const ONE: readonly Expected[] = [undefined];

/** What may reply later, speak to other connections, or is not in the streams unless by chance. */
const UNKNOWN = /^(?:blpop|monitor|shutdown|publish|spublish|ssubscribe|sunsubscribe|wait|lankv\..*)$/;
const UNKNOWN_OF_CLIENT = /^(?:kill|pause|no-evict|unblock)$/i;
const BROWSER = /^(?:post|host:)$/;

/** @returns undefined when the requests have something that this does not know */
export function scriptOf(requests: readonly Request[]): Script | undefined {
  const names = requests.map(([name = ""]) => name.toLowerCase());
  const connection = new Connection(names.includes("multi"));
  const replies: Expected[] = [];
  for (const [i, request] of requests.entries()) {
    const name = names[i] ?? "";
    if (BROWSER.test(name)) return { replies, isEnded: true, isCutOff: true };
    const own = connection.answer(name, request.slice(1));
    if (own === undefined) return undefined;
    replies.push(...own);
    if (name === "quit") return { replies, isEnded: true, isCutOff: false };
  }
  return { replies, isEnded: false, isCutOff: false };
}

class Connection {
  #protocol: "2" | "3" = "2";
  #replies: "on" | "off" | "skip" = "on";
  readonly #channels = new Set<Bytes>();
  readonly #patterns = new Set<Bytes>();

  /** @param mayQueue whether there is a transaction somewhere, in which nothing is subscribed to */
  constructor(private readonly mayQueue: boolean) {}

  answer(name: string, args: Request): readonly Expected[] | undefined {
    if (UNKNOWN.test(name) || (name === "client" && UNKNOWN_OF_CLIENT.test(args[0] ?? ""))) return undefined;
    if (/^p?(?:un)?subscribe$/.test(name)) return this.#subscribe(name, args);
    if (name === "reset" && args.length === 0) return this.#reset();
    if (this.#isListenerOnly && name !== "ping" && name !== "quit") return this.#heard(ONE);
    if (name === "hello" && args.length > 0) return this.#hello(args);
    if (name === "client" && args.length === 2 && /^reply$/i.test(args[0] ?? ""))
      return this.#silence(args[1]);
    if (name === "echo" && args.length === 1) return this.#heard([this.#echo(args[0] ?? "")]);
    return this.#heard(ONE);
  }

  get #isListenerOnly(): boolean {
    return this.#protocol === "2" && this.#channels.size + this.#patterns.size > 0;
  }

  /** As much of the replies as is heard. */
  #heard(replies: readonly Expected[]): readonly Expected[] {
    const isHeard = this.#replies === "on";
    if (this.#replies === "skip") this.#replies = "on";
    return isHeard ? replies : [];
  }

  #echo(echoed: Bytes): Expected {
    const reply = `$${echoed.length}\r\n${echoed}\r\n`;
    return this.mayQueue ? [reply, QUEUED] : [reply];
  }

  /** One message for each channel, heard in any case. */
  #subscribe(name: string, args: Request): readonly Expected[] | undefined {
    if (this.mayQueue || args.some((channel) => !CHANNELS.includes(channel))) return undefined;
    const held = name.startsWith("p") ? this.#patterns : this.#channels;
    const isLeaving = name.includes("un");
    if (args.length === 0 && !isLeaving) return this.#heard(ONE);
    const named = args.length > 0 ? args : [...held];
    for (const channel of named) {
      if (isLeaving) held.delete(channel);
      else held.add(channel);
    }
    this.#heard([]);
    return Array.from({ length: Math.max(named.length, 1) }, () => undefined);
  }

  #reset(): readonly Expected[] {
    this.#protocol = "2";
    this.#replies = "on";
    this.#channels.clear();
    this.#patterns.clear();
    return ONE;
  }

  /** Its options may be wrong in many ways: only those of the streams are known. */
  #hello([protocol, ...options]: Request): readonly Expected[] | undefined {
    const isRight = options.length === 0 || (options.length === 2 && options.join(" ") === "SETNAME tester");
    if (!isRight || (protocol !== "2" && protocol !== "3")) return undefined;
    if (!this.mayQueue) this.#protocol = protocol;
    return this.#heard(ONE);
  }

  #silence(mode = ""): readonly Expected[] | undefined {
    if (this.mayQueue) return undefined;
    const wanted = mode.toLowerCase();
    if (wanted === "on") {
      this.#replies = "on";
      return ONE;
    }
    if (wanted === "off") this.#replies = "off";
    else if (wanted === "skip" && this.#replies !== "off") this.#replies = "skip";
    else return this.#heard(wanted === "skip" ? [] : ONE);
    return [];
  }
}

/**
 * The replies and pushes in what a server sent, each with its bytes.
 * @throws {Error} it is not a sequence of them
 */
export function splitReplies(text: Bytes): Bytes[] {
  const replies: Bytes[] = [];
  for (let at = 0; at < text.length;) {
    const end = endOfReply(text, at);
    replies.push(text.slice(at, end));
    at = end;
  }
  return replies;
}

function endOfReply(text: Bytes, at: number): number {
  const lineEnd = text.indexOf("\r\n", at);
  if (lineEnd < 0) throw new Error(`no end of line after ${at} of ${JSON.stringify(text)}`);
  const type = text.charAt(at);
  let end = lineEnd + 2;
  if ("+-:_#,(".includes(type)) return end;
  const length = text.slice(at + 1, lineEnd);
  if (length === "-1") return end;
  if (!"$=*~>%".includes(type) || !/^\d+$/.test(length))
    throw new Error(`no reply at ${at} of ${JSON.stringify(text)}`);
  if ("$=".includes(type)) {
    end += Number(length) + 2;
    if (text.slice(end - 2, end) === "\r\n") return end;
    throw new Error(`no end of a string at ${end} of ${JSON.stringify(text)}`);
  }
  for (let items = (type === "%" ? 2 : 1) * Number(length); items > 0; items -= 1)
    end = endOfReply(text, end);
  return end;
}
