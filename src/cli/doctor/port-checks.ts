/** Whether the ports are free that a node would bind. Those of a daemon that runs are its own, and not looked at. */
import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import { codeOf } from "../../net/claim-socket.js";
import { fail, ok, type CheckName, type Finding } from "./finding.js";
import type { Subject } from "./subject.js";

export async function checkPorts(subject: Subject): Promise<readonly Finding[]> {
  const { daemon, beaconPort, port, redisPort, bind } = subject;
  if (daemon !== undefined) return [];
  const findings = [await checkBeaconPort(beaconPort)];
  if (port !== 0) findings.push(await checkTcpPort("message-port", port, undefined, "--port"));
  if (redisPort !== 0) findings.push(await checkTcpPort("redis-port", redisPort, bind, "--redis-port"));
  return findings;
}

/** Nodes share it with each other; a program that does not share keeps them all out. */
async function checkBeaconPort(port: number): Promise<Finding> {
  const socket = createSocket({ type: "udp4", reuseAddr: true });
  const code = await new Promise<string>((resolve) => {
    socket.once("error", (error) => {
      resolve(codeOf(error));
    });
    socket.bind(port, () => {
      resolve("");
    });
  });
  socket.close();
  const shown = `UDP port ${String(port)}, for beacons,`;
  if (code === "") return ok("beacon-port", `${shown} can be bound.`);
  return fail(
    "beacon-port",
    `${shown} cannot be bound: ${reasonOf(code, "another program holds it alone")}.`,
    `'ss -ulpn sport = :${String(port)}' names the program. Stop it, or choose the same other port on every node ` +
      "with --beacon-port.",
  );
}

async function checkTcpPort(
  check: CheckName,
  port: number,
  host: string | undefined,
  option: string,
): Promise<Finding> {
  const server = createServer();
  const code = await new Promise<string>((resolve) => {
    server.once("error", (error) => {
      resolve(codeOf(error));
    });
    server.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
      resolve("");
    });
  });
  if (server.listening) await new Promise((resolve) => server.close(resolve));
  const what = check === "redis-port" ? "for Redis clients" : "for messages between nodes";
  const shown = `TCP port ${host === undefined ? "" : `${host}:`}${String(port)}, ${what},`;
  if (code === "") return ok(check, `${shown} is free.`);
  return fail(
    check,
    `${shown} cannot be bound: ${reasonOf(code, "another program listens there")}.`,
    `'ss -tlpn sport = :${String(port)}' names the program. Stop it, or choose another port with ${option}.`,
  );
}

function reasonOf(code: string, taken: string): string {
  if (code === "EADDRINUSE") return taken;
  if (code === "EACCES") return "this user may not bind it";
  if (code === "EADDRNOTAVAIL") return "this machine has no such address";
  return code;
}
