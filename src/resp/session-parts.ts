import type { Client, Context } from "./command.js";
import type { Limits } from "./limits.js";
import type { Password } from "./password.js";
import type { Round } from "./round.js";
import type { Hub } from "./subscriptions.js";

/** What a connection is given by its server. */
export interface SessionParts {
  readonly id: number;
  readonly limits: Limits;
  readonly hub: Hub;
  readonly round: Round;
  /** Undefined = there is none. */
  readonly password: Password | undefined;
  /** The path of the unix socket that it came by, which asks for no password; undefined = it came by TCP. */
  readonly path: string | undefined;
  /** What commands see. */
  toContext(client: Client): Context;
  /** Is told that what the connection holds has changed by so many bytes. */
  readonly onHeld: (delta: number) => void;
}
