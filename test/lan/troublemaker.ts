/**
 * A program: a host that sends garbage to every port of the others, for as long as it is let, to show that it
 * costs the others nothing. It is bounded in rate, in connections and in time.
 *
 *     troublemaker.js BROADCAST ADDRESS:PORT...       the PUB ports of its victims
 *
 * To the UDP port of the beacons: random bytes of all sizes, and real beacons that it has heard, cut short, doubled and
 * with some bytes changed. To the PUB ports: random bytes, half a greeting held open, a whole handshake with
 * random bytes after it, subscribers that never read. And whoever believes a changed beacon and
 * connects to this host finds a PUB socket that sends nonsense under the topics of the protocol.
 */
import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { connect, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { Publisher, Subscriber } from "zeromq";
import { pick, spoiledDatagram, spoiledMessage, spoiledStream } from "./garbage.js";

const beaconPort = 5005;
const lifetimeMs = 120_000;
const heardMax = 64;
const connectionsMax = 200;

const [broadcast = "", ...targets] = process.argv.slice(2);
const victims = targets.map((target) => {
  const [address = "", port = ""] = target.split(":");
  return { address, port: Number(port) };
});

const idle = neverRead();
const sent = { datagrams: 0, connections: 0, messages: 0 };
setTimeout(() => process.exit(0), lifetimeMs);
process.on("SIGTERM", () => {
  idle.close();
  process.exit(0);
});

spoilBeacons();
spoilConnections();
setInterval(() => console.log(`sent ${JSON.stringify(sent)}`), 500);
await publishNonsense();

function spoilBeacons(): void {
  const heard: [Buffer, ...Buffer[]] = [Buffer.alloc(0)];
  const socket = createSocket({ type: "udp4", reuseAddr: true });
  socket.on("message", (beacon, { address }) => {
    if (!victims.some((victim) => victim.address === address)) return;
    if (heard.length < heardMax) heard.push(beacon);
    else heard[randomInt(heardMax)] = beacon;
  });
  socket.bind(beaconPort, () => {
    socket.setBroadcast(true);
    setInterval(() => {
      const destinations = [broadcast, ...victims.map(({ address }) => address)];
      for (const destination of destinations) {
        // Errors such as a full buffer are no matter: there is more where it came from.
        socket.send(spoiledDatagram(pick(heard)), beaconPort, destination, () => undefined);
        sent.datagrams += 1;
      }
    }, 20);
  });
}

function spoilConnections(): void {
  const open: Socket[] = [];
  setInterval(() => {
    for (const { address, port } of victims) {
      const socket = connect(port, address);
      socket.on("error", () => undefined);
      socket.write(spoiledStream());
      open.push(socket);
      sent.connections += 1;
    }
    while (open.length > connectionsMax) open.shift()?.resetAndDestroy();
  }, 20);
}

/** Subscribes to everything and reads nothing. */
function neverRead(): Subscriber {
  const subscriber = new Subscriber({ receiveHighWaterMark: 1 });
  for (const { address, port } of victims) subscriber.connect(`tcp://${address}:${String(port)}`);
  subscriber.subscribe();
  return subscriber;
}

/** Listens on the ports that the changed beacons name, and publishes nonsense there. */
async function publishNonsense(): Promise<void> {
  const publisher = new Publisher({ linger: 0 });
  for (const port of new Set(victims.map(({ port }) => port)))
    await publisher.bind(`tcp://0.0.0.0:${String(port)}`);
  for (;;) {
    await publisher.send(spoiledMessage());
    sent.messages += 1;
    await pause(5);
  }
}
