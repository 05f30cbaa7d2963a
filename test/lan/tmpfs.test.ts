/** A data directory that lives as long as the power is on, as the registers of a device do: the recipe of docs/durability.md. */
import "./namespace.js";
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { allRead, equalRoots, seeEachOther } from "./agreement.js";
import { must } from "./command.js";
import type { Daemon } from "./daemon.js";
import type { Host } from "./host.js";
import type { Lan } from "./lan.js";
import { scenario } from "./scenario.js";

scenario("a data directory on tmpfs survives the process, and is gone with the power", async (lan) => {
  const host = await lan.host();
  const registers = host.path("registers");
  await mkdir(registers);
  await powerOn(registers);
  try {
    await live(lan, host, registers);
  } finally {
    await must("umount", "--lazy", registers);
  }
});

async function live(lan: Lan, host: Host, registers: string): Promise<void> {
  const flags = ["--data-dir", registers, "--fsync", "always"];
  const device = await host.daemon({ name: "device", flags });
  const { nodeId } = await device.status();

  await device.set("dac/1", "2.5");
  await device.kill9();
  await device.start();
  // Nobody else is there who could have brought it back.
  assert.equal(await device.get("dac/1"), "2.5");
  assert.equal((await device.status()).nodeId, nodeId);

  await reboot(device, registers);
  assert.equal(await device.get("dac/1"), undefined);
  assert.equal(await device.keyCount(), 0);
  assert.notEqual((await device.status()).nodeId, nodeId);

  const other = await lan.daemon({ name: "other" });
  await seeEachOther([device, other]);
  await device.set("dac/2", "3.3");
  await allRead([other], "dac/2", "3.3");
  await reboot(device, registers);
  await seeEachOther([device, other]);
  await equalRoots([device, other]);
  await allRead([device], "dac/2", "3.3");
}

async function powerOn(directory: string): Promise<void> {
  await must("mount", "-t", "tmpfs", "-o", "size=16m,mode=0700", "tmpfs", directory);
}

async function reboot(daemon: Daemon, directory: string): Promise<void> {
  await daemon.kill9();
  await must("umount", directory);
  await powerOn(directory);
  await daemon.start();
}
