/** INFO: the sections and fields that clients and dashboards read, as far as there is something true to say. */
import type { Bytes } from "../core/bytes.js";
import type { Context } from "./command.js";
import { textToBytes } from "./reply.js";

/**
 * The version of Redis whose commands, replies and errors are served. Clients parse it to know what they may ask; what
 * is really there tells `lankv_version`.
 */
export const REDIS_VERSION = "7.0.15";

type Lines = Readonly<Record<string, string | number>>;

const SECTIONS: readonly (readonly [name: string, lines: (context: Context) => Lines])[] = [
  ["Server", serverLines],
  ["Clients", clientLines],
  ["Memory", memoryLines],
  ["Persistence", persistenceLines],
  ["Stats", statsLines],
  ["Replication", replicationLines],
  ["CPU", cpuLines],
  ["Cluster", () => ({ cluster_enabled: 0 })],
  ["Keyspace", keyspaceLines],
];

/** Names for all sections. */
const ALL = ["all", "default", "everything"];

/** @param wanted names of sections in any case; none = all */
export function info(wanted: readonly Bytes[], context: Context): Bytes {
  const names = wanted.map((name) => name.toLowerCase());
  const isAll = names.length === 0 || names.some((name) => ALL.includes(name));
  const sections = SECTIONS.filter(([name]) => isAll || names.includes(name.toLowerCase()));
  const text = sections.map(([name, linesOf]) => `# ${name}\r\n${toText(linesOf(context))}`).join("\r\n");
  return textToBytes(text);
}

function toText(lines: Lines): string {
  return Object.entries(lines)
    .map(([name, value]) => `${name}:${String(value)}\r\n`)
    .join("");
}

function serverLines({ keyspace }: Context): Lines {
  const { nodeId, uptimeMs, version } = keyspace.status();
  return {
    redis_version: REDIS_VERSION,
    server_name: "lankv",
    lankv_version: version,
    redis_mode: "standalone",
    os: `${process.platform} ${process.arch}`,
    arch_bits: 64,
    process_id: process.pid,
    run_id: nodeId,
    server_time_usec: Math.round(keyspace.nowMs() * 1000),
    uptime_in_seconds: Math.floor(uptimeMs / 1000),
    uptime_in_days: Math.floor(uptimeMs / 86_400_000),
  };
}

function clientLines({ server }: Context): Lines {
  return {
    connected_clients: server.clients().size,
    maxclients: server.config.parameters.get("maxclients")?.get() ?? "",
  };
}

/** The log of records is what Redis's append-only file is. */
function persistenceLines({ keyspace }: Context): Lines {
  const { loading, storage } = keyspace.status();
  return {
    loading: loading === null ? 0 : 1,
    async_loading: 0,
    ...(loading === null
      ? {}
      : {
          loading_total_bytes: loading.bytesTotal,
          loading_loaded_bytes: loading.bytesDone,
          loading_loaded_perc: (loading.share * 100).toFixed(2),
        }),
    aof_enabled: storage === null ? 0 : 1,
    ...(storage === null
      ? {}
      : {
          aof_last_write_status: storage.failing === null ? "ok" : "err",
          aof_current_size: storage.bytes,
          unsaved_keys: storage.unsaved,
        }),
  };
}

/** The first four are what CONFIG RESETSTAT counts from 0 again. */
function statsLines({ server }: Context): Lines {
  const { connections, commands, rejected, evicted } = server.stats;
  return {
    total_connections_received: connections,
    total_commands_processed: commands,
    rejected_connections: rejected,
    evicted_clients: evicted,
    pubsub_channels: server.hub.channels(() => true).length,
    pubsub_patterns: server.hub.patterns,
    evicted_keys: 0,
  };
}

function memoryLines({ keyspace }: Context): Lines {
  const { heapUsed, external, rss } = process.memoryUsage();
  const used = heapUsed + external;
  return {
    used_memory: used,
    used_memory_human: `${(used / 1_048_576).toFixed(2)}M`,
    used_memory_rss: rss,
    used_memory_rss_human: `${(rss / 1_048_576).toFixed(2)}M`,
    used_memory_dataset: keyspace.status().bytes,
    maxmemory: 0,
    maxmemory_human: "0B",
    maxmemory_policy: "noeviction",
  };
}

function replicationLines({ keyspace }: Context): Lines {
  const { cluster, name, nodeId, peers, root, state } = keyspace.status();
  return {
    role: "master",
    connected_slaves: 0,
    node_id: nodeId,
    node_name: name,
    cluster_name: cluster,
    state,
    peers,
    root,
  };
}

function cpuLines(): Lines {
  const { system, user } = process.cpuUsage();
  return { used_cpu_sys: (system / 1e6).toFixed(6), used_cpu_user: (user / 1e6).toFixed(6) };
}

/** As Redis, nothing of an empty database. */
function keyspaceLines({ keyspace }: Context): Lines {
  const { keys, bytes, expiring } = keyspace.status();
  if (keys === 0) return {};
  return { db0: `keys=${String(keys)},expires=${String(expiring)},avg_ttl=0,bytes=${String(bytes)}` };
}
