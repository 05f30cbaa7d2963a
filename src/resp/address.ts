/** An end of a TCP connection as HOST:PORT, as CLIENT LIST shows it. */
export function toAddress(host = "?", port = 0): string {
  return `${host.includes(":") ? `[${host}]` : host}:${String(port)}`;
}
