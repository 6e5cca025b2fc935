import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Upgrade } from './exchange.ts';
import { farewell } from './farewell.ts';
import { pairs } from './headers.ts';

/** Joins client and server after 101, byte for byte, until both have ended. */
export function startTunnel(options: {
  readonly upgrade: Upgrade;
  readonly server: Duplex;
  /** What the server said behind its 101. */
  readonly first: Buffer;
  readonly headers: readonly string[];
  readonly silenceMsMax: number;
}): void {
  const { upgrade, server, first, headers, silenceMsMax } = options;
  const client = upgrade.stream;
  const end = () => {
    clearTimeout(silence);
    client.destroy();
    server.destroy();
  };
  const silence = setTimeout(end, silenceMsMax);
  for (const side of [client, server]) {
    side.on('error', end).on('data', () => silence.refresh());
    side.on('close', () => {
      clearTimeout(silence);
      // What is written is still sent; an end without `end` (a reset) must not leave the other side waiting.
      farewell(side === client ? server : client);
    });
  }
  client.write(switchingProtocols(upgrade.protocol, headers), 'latin1');
  if (first.length > 0) client.write(first);
  if (upgrade.first.length > 0) server.write(upgrade.first);
  client.pipe(server);
  server.pipe(client);
}

function switchingProtocols(protocol: string, headers: readonly string[]): string {
  const lines = [`HTTP/1.1 101 ${STATUS_CODES[101]}`, 'connection: upgrade', `upgrade: ${protocol}`];
  for (const [name, , value] of pairs(headers)) lines.push(`${name}: ${value}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}
