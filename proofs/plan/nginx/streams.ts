/** `stream {}`: connections that are passed on unread, by the name in their ClientHello. */
import { type Ink, origin } from './ink.ts';

const hosts = ['a.example', 'b.example', '*.example', '.b.example', 'www.*', '~^api', '""', 'x.y.example'];

/** Null: this text has none. */
export function stream(ink: Ink): string | null {
  const { chance, id, machine } = ink;
  if (!chance.percent(12)) return null;
  const pool = (name: string) => `upstream ${name} { server ${origin(ink)}; }`;
  const keys = [...new Set(chance.some(hosts, 4))];
  const to = () => chance.pick([`s${id}`, `t${id}`, origin(ink)]);
  const lines = keys.map((key) => `${key} ${to()};`);
  const standard = chance.percent(80) ? `default ${to()};` : '';
  const flag = chance.percent(80) ? 'hostnames; ' : '';
  const access = chance.percent(20)
    ? chance.pick([
        'deny 127.1.0.0/16;',
        'allow 127.0.0.0/8; deny all;',
        'allow 127.0.0.1; deny all;',
        'deny all;',
      ])
    : '';
  const isNamed = chance.percent(80);
  const target = isNamed ? `$stream${id}` : to();
  return [
    pool(`s${id}`),
    pool(`t${id}`),
    `map $ssl_preread_server_name $stream${id} { ${flag}${standard} ${lines.join(' ')} }`,
    `server { listen 127.0.0.1:${machine.stream}; ${isNamed ? 'ssl_preread on; ' : ''}${access} proxy_pass ${target}; }`,
  ].join('\n');
}
