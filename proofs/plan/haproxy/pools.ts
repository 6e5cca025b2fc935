/** Backends with their servers. */
import type { Chance } from '../chance.ts';
import { type Ink, indented } from './ink.ts';
import { poolsPerText } from './rules.ts';
import { section } from './sections.ts';

export function pool(ink: Ink, number: number): readonly string[] {
  const { chance, prefix } = ink;
  const rules = chance.percent(30) ? section(ink, false) : [];
  const table = number === 0 ? ['stick-table type ip size 1k expire 30s store http_req_rate(10s)'] : [];
  const beside = chance.some(besidePool, 1);
  const own = ['mode http', ...table, ...beside, ...rules, ...serversOf(chance, number)];
  return [`backend ${prefix}p${number}`, ...indented(own)];
}

/** Mostly one; some that do not serve, and some that take turns. */
function serversOf(chance: Chance, number: number): readonly string[] {
  if (chance.percent(5)) return [];
  if (chance.percent(80)) return [`SERVER ${number}`];
  const other = (number + 1) % poolsPerText;
  return chance.pick([
    [`SERVER ${number} disabled`],
    [`SERVER ${number} weight 0`, `SPARE ${other}`],
    [`SERVER ${number}`, `SPARE ${other}`],
    [`SERVER ${number} disabled`, `SPARE ${other} enabled`],
    [`SERVER ${number} weight 20`, `SPARE ${other} backup`],
    [`SERVER ${number} disabled`, `SPARE ${other} backup`],
    ['default-server disabled', `SERVER ${number} enabled`, `SPARE ${other}`],
    ['default-server weight 7', `SERVER ${number} no-check`, `SPARE ${other}`],
    ['disabled', `SERVER ${number}`],
  ]);
}

const besidePool: readonly string[] = [
  ...[
    'balance roundrobin',
    'balance leastconn',
    'option httpchk GET /health',
    'cookie SRV insert indirect nocache',
  ],
  ...[
    'option forwardfor',
    'option forwardfor if-none',
    'option forwardfor header X-Two',
    'retries 2',
    'option redispatch',
  ],
  ...[
    'http-response set-header X-Back one',
    'http-send-name-header X-One',
    'fullconn 100',
    'option httpclose',
  ],
  ...['http-reuse safe', 'option http-server-close', 'timeout queue 5s'],
];
