/** The commands of `lankv service` with their arguments and flags. */
import type { Command } from "commander";
import type { ExitCode } from "./exit.js";
import { flag } from "./flags.js";
import type { ServiceFlags } from "./service.js";

/** @param serve checks the flags that a service is to run with */
export function addService(
  program: Command,
  serve: Command,
  end: (code: Promise<ExitCode> | ExitCode) => Promise<void>,
): void {
  const service = program
    .command("service")
    .summary("run a node whenever this machine runs")
    .description("Has systemd (on macOS, launchd) run 'lankv serve' whenever this machine runs.");
  const add = (name: string): Command =>
    service
      .command(name)
      .addOption(flag("--user", "for this user alone, without root's rights"))
      .addOption(flag("--root <dir>", "write below this directory, as for an image, and start nothing"));
  add("install")
    .summary("write the service, and start it")
    .description(
      "Writes the service, enables and starts it. What follows -- are flags of 'lankv serve': " +
        "lankv service install -- --name pi1",
    )
    .argument("[flags...]", "flags of 'lankv serve', after --")
    .addOption(flag("--print", "print it instead"))
    .action(async (words: string[], _flags: unknown, command: Command) => {
      const { install } = await import("./service.js");
      await end(install(words, command.optsWithGlobals<ServiceFlags>(), serve));
    });
  add("uninstall")
    .summary("end the service, and remove it")
    .action(async (_flags: unknown, command: Command) => {
      const { uninstall } = await import("./service.js");
      await end(uninstall(command.optsWithGlobals<ServiceFlags>()));
    });
  add("status")
    .summary("whether it is installed, enabled, running, and answers; exit code 0 or 7")
    .action(async (_flags: unknown, command: Command) => {
      const { serviceStatus } = await import("./service.js");
      await end(serviceStatus(command.optsWithGlobals<ServiceFlags>()));
    });
}
