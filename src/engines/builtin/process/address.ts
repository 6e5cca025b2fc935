/** Where a connection comes from or goes to. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** `10.0.0.7:8080`, `[::1]:8080` */
export function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** `::ffff:10.0.0.7`, as a socket for both families gives it, is `10.0.0.7`. */
export function plainAddress(address: string | undefined): string {
  return (address ?? '').replace(/^::ffff:(?=\d+\.)/i, '');
}

export function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
