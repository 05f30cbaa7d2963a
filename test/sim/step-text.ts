/** Inputs and effects as the log shows them. */
import type { Effect } from "../../src/core/effect.js";
import type { Message } from "../../src/core/message.js";
import type { ReadInput } from "../received.js";

export function inputToText(input: ReadInput): string {
  switch (input.type) {
    case "beacon": {
      const { writer, hello, goodbye } = input.beacon;
      return `beacon of ${writer}${hello ? " hello" : ""}${goodbye ? " goodbye" : ""} from ${input.from}`;
    }
    case "message":
      return messageToText(input.message);
    case "subscription":
      return `subscription ${input.writer} ${input.present ? "begins" : "ends"}`;
    case "confirm":
      return `confirm ${String(input.seq)}`;
    default:
      return input.type;
  }
}

function messageToText(message: Message): string {
  const from = `${message.type} of ${message.from}`;
  switch (message.type) {
    case "set":
      return `${from} seq ${String(message.seq)} with ${String(message.records.length)} records`;
    case "tick":
      return `${from} head ${String(message.vitals.head)} root ${message.vitals.root} ${message.vitals.state}`;
    case "question":
      return `${from} id ${String(message.id)} ${JSON.stringify(message.ask.of === "stream" ? message.ask.range : message.ask.of)}`;
    case "answer": {
      const next = message.next === undefined ? "" : ` next ${String(message.next)}`;
      return `${from} id ${String(message.id)} part ${String(message.part)}${message.last ? " last" : ""}${next} with ${String(message.records.length)} records`;
    }
    case "list":
      return `${from} id ${String(message.id)}`;
    case "list_answer":
      return `${from} id ${String(message.id)} with ${String(message.groups.length)} groups`;
    case "publish":
      return `${from} with ${String(message.publications.length)} publications`;
    case "confirm":
      return `${from} head ${String(message.head)}`;
    case "receipt":
      return `${from} seq ${String(message.seq)}`;
  }
}

export function effectToText(effect: Effect): string {
  switch (effect.type) {
    case "beacon":
      return effect.beacon.hello ? "hello" : effect.beacon.goodbye ? "goodbye" : "beacon";
    case "publish":
      return `publish ${messageToText(effect.message)}${effect.to === undefined ? "" : ` to ${effect.to}`}`;
    case "connect":
    case "disconnect":
      return `${effect.type} ${effect.endpoint}`;
    case "applied":
    case "expired":
      return `${effect.type} ${String(effect.records.length)}`;
    case "conflict":
      return `conflict ${effect.loser.key.slice(0, 16)}`;
    case "state":
      return effect.state;
    case "peer":
      return `${effect.change} ${effect.peer.writer}`;
    case "identity":
      return `identity ${effect.nodeId}`;
    case "sought":
      return "sought";
    case "published":
      return `published ${String(effect.publications.length)}`;
    case "confirmed":
      return `confirmed ${String(effect.peer.confirmed)} by ${effect.peer.writer}`;
  }
}
