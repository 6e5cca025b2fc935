/** Server blocks: where they listen, what they are called, what they hold. */
import { type Around, fileOf, type Ink, origin } from './ink.ts';
import { inside, locations, onceEach, shared } from './locations.ts';
import { rareLines } from './rare.ts';
import { codes } from './rewriting.ts';

const names = [
  'a.example',
  'b.example',
  'www.a.example',
  '*.a.example',
  '.b.example',
  'www.*',
  'x.y.example',
  '*.example',
  'api.b.example',
  'x.*',
  '_',
  '""',
  'x.y.*',
  '*.y.example',
  '127.0.0.1',
  'localhost',
];
const patterns = [
  '~^(?<sub>[a-z]+)\\.dyn\\.example$',
  '~^www\\.(?<domain>.+)$',
  '~^(www\\.)?a\\.',
  '"~^(?<sub>[a-z]{1,3})\\.b\\."',
  '~^[^.]+$',
  '~^API\\.',
];

export function server(ink: Ink, index: number): string {
  const { chance } = ink;
  const named = chance.percent(40) ? ['@fall', '@other'].slice(0, 1 + chance.below(2)) : [];
  const said = new Set<string>(chance.some(names, 3));
  if (chance.percent(12)) said.add(chance.pick(patterns));
  const all = [...said];
  const groups = [...all.join(' ').matchAll(/\(\?<(\w+)>/g)].map(([, one = '']) => `$${one}`);
  const hasPool = chance.percent(10);
  const around: Around = { ink, named, hasPool, groups };
  const lines = [
    ...listens(ink, index),
    all.length > 0 ? `server_name ${all.join(' ')};` : '',
    hasPool
      ? `set $up ${chance.pick(['u', 'w'])}${ink.id}; set $full http://${chance.pick(['u', 'w'])}${ink.id};`
      : '',
    chance.percent(6) ? 'merge_slashes off;' : '',
    chance.percent(3) ? 'try_files $uri /index.html;' : '',
    chance.percent(6) ? realAddress(ink) : '',
    onceEach(shared(around).join(' ')),
    ...(chance.percent(25) ? codes(around, 1, { kind: 'server' }) : []),
    ...(chance.percent(12) ? included(around) : []),
    ...(chance.percent(45) ? rareLines(chance, rarePlace(ink)) : []),
    ...locations(around),
    ...named.map((name) => `location ${name} { ${inside(around, 0, { kind: 'named' })} }`),
  ];
  return `server {\n  ${lines.filter(Boolean).join('\n  ')}\n}`;
}

function rarePlace(ink: Ink): Parameters<typeof rareLines>[1] {
  const { chance, id, machine } = ink;
  const { root, sockets } = machine;
  const variable = chance.pick(['$arg_q', '$http_x_kind', '$cookie_c', '$args', '$uri', ...ink.own]);
  return { pools: [`u${id}`, `w${id}`], origin: origin(ink), root, sockets, variable };
}

function listens(ink: Ink, index: number): readonly string[] {
  const { chance, machine } = ink;
  const { http, https, pair } = machine;
  const doors = chance.pick(['both', 'both', 'http', index > 0 ? 'https' : 'both']);
  const isStandard = index > 0 && chance.percent(15) && !ink.hasStandard;
  if (isStandard) ink.hasStandard = true;
  const standard = isStandard ? chance.pick([' default_server', ' default_server', ' default']) : '';
  // Another address of the same port: connections to 127.0.0.1 are those of whoever names it.
  const wide = index > 0 && doors === 'http' && standard === '' && chance.percent(8) ? '' : '127.0.0.1:';
  const secure = chance.percent(20) ? ' http2' : '';
  return [
    doors === 'https' ? '' : `listen ${wide}${http}${standard};`,
    ...(doors === 'http'
      ? []
      : [
          `listen 127.0.0.1:${https} ssl${secure}${standard};`,
          `ssl_certificate ${pair};`,
          `ssl_certificate_key ${pair};`,
          chance.percent(4) ? 'ssl_reject_handshake on;' : '',
        ]),
  ];
}

function realAddress({ chance }: Ink): string {
  const from = chance.pick(['127.0.0.0/8', '127.0.0.1', '127.1.0.0/16', '10.0.0.0/8']);
  const header = chance.pick(['X-Forwarded-For', 'X-Forwarded-For', 'X-Real-IP', 'X-Kind']);
  const recursive = chance.percent(20) ? ' real_ip_recursive on;' : '';
  return `set_real_ip_from ${from}; real_ip_header ${header};${recursive}`;
}

function included(around: Around): readonly string[] {
  const place = { kind: 'exact', name: '/included' } as const;
  const text = `# included\nlocation = /included { ${inside(around, 0, place)} }\n`;
  return [`include ${fileOf(around.ink, text)};`];
}
