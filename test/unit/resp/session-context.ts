import type { Client, Context, ServerParts } from "../../../src/resp/command.js";
import { Config } from "../../../src/resp/config.js";
import { toLimits } from "../../../src/resp/limits.js";
import { Notifications } from "../../../src/resp/notifications.js";
import { Stats } from "../../../src/resp/stats.js";
import { Hub, Subscriptions } from "../../../src/resp/subscriptions.js";
import { commandTable } from "../../../src/resp/table.js";
import { Transaction } from "../../../src/resp/transaction.js";
import type { MemoryKeyspace } from "./memory-keyspace.js";

/** A client without a connection, and what it was made to do. */
export interface FakeClient extends Client {
  isAuthenticated: boolean;
  hasPassword: boolean;
  isTrusted: boolean;
  /** What was pushed to it. */
  readonly pushed: string[];
  isClosed: boolean;
}

/** What a command sees whose client has no connection. */
export function toContext(keyspace: MemoryKeyspace): Context & { readonly client: FakeClient } {
  const hub = new Hub();
  const notifications = new Notifications(hub, keyspace, "AKE");
  const client = toClient(hub);
  const server: ServerParts = {
    hub,
    config: new Config(toLimits({}), notifications, undefined),
    stats: new Stats(),
    clients: () => new Set([client]),
  };
  return {
    keyspace,
    client,
    table: commandTable,
    server,
    isInTransaction: false,
    hears: () => true,
    notify: (eventClass, event, key) => {
      notifications.notify(eventClass, event, key);
    },
  };
}

function toClient(hub: Hub): FakeClient {
  const pushed: string[] = [];
  const listener = { protocol: 2, push: (frame: string) => pushed.push(frame) } as const;
  const client: FakeClient = {
    id: 7,
    address: "127.0.0.1:50000",
    localAddress: "127.0.0.1:7379",
    name: "",
    libraryName: "",
    libraryVersion: "",
    protocol: 2,
    replies: "on",
    isAuthenticated: true,
    hasPassword: false,
    isTrusted: true,
    isWaiting: false,
    transaction: new Transaction(),
    subscriptions: new Subscriptions(hub, listener),
    lastCommand: "",
    ageSeconds: 0,
    idleSeconds: 0,
    unreadBytes: 0,
    unsentBytes: 0,
    signal: new AbortController().signal,
    pushed,
    isClosed: false,
    authenticate: (user) => user === "default",
    reset: () => {
      client.transaction.close();
    },
    closeAfterReply: () => {
      client.isClosed = true;
    },
    kill: () => {
      client.isClosed = true;
    },
  };
  return client;
}
