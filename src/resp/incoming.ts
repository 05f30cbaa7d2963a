/**
 * What clients send, read into one buffer for all of them.
 *
 * The runtime allocates 64 KiB for each read, cuts them to what came, and makes a buffer object and a stream's chunk of it. For
 * a request of a hundred bytes that is half of what it costs to receive one. Node.js can read into a given buffer
 * instead (`onread`), and since a read and its callback are one step, one buffer serves all connections; but it takes
 * the option only for sockets that it makes, not for those that a server accepts. So the connection's handle is given to a socket that is
 * made with it. Where that does not work (on Windows, which fills a buffer before it is read, or should a version of
 * Node.js have no such handle), and for a connection of which something was read before, it stays as it is.
 */
import { Socket } from "node:net";

/** As much as a read of the runtime's own. */
const READ_BYTES = 65_536;
const shared = Buffer.allocUnsafeSlow(READ_BYTES);

/** Is given what came, so many bytes from the start of a buffer; they are the callee's only during the call. */
export type OnBytes = (buffer: Buffer, length: number) => void;

/**
 * Takes over a connection that was accepted and of which nothing is to be heard otherwise.
 * @returns the socket to be used from now on
 */
export function takeOver(accepted: Socket, onBytes: OnBytes): Socket {
  const socket = withSharedBuffer(accepted, onBytes);
  if (socket !== undefined) return socket;
  accepted.allowHalfOpen = true;
  accepted.on("data", (bytes: Buffer) => {
    onBytes(bytes, bytes.length);
  });
  return accepted;
}

function withSharedBuffer(accepted: Socket, onBytes: OnBytes): Socket | undefined {
  const handle: unknown = Reflect.get(accepted, "_handle");
  if (!isReadInto(handle) || process.platform === "win32" || accepted.bytesRead > 0) return undefined;
  const onread = {
    buffer: shared,
    callback: (length: number): boolean => {
      onBytes(shared, length);
      return true;
    },
  };
  const options = { handle, onread, allowHalfOpen: true };
  Reflect.set(accepted, "_handle", null);
  const socket = new Socket(options);
  if (Reflect.get(socket, "_handle") !== handle) {
    Reflect.set(accepted, "_handle", handle);
    return undefined;
  }
  // The server counts the one that it accepted.
  socket.once("close", () => accepted.destroy());
  return socket.resume();
}

function isReadInto(handle: unknown): handle is object {
  return typeof handle === "object" && handle !== null && "useUserBuffer" in handle && "readStart" in handle;
}
