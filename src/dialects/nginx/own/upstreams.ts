import { isIP } from 'node:net';
import type { Algorithm, SurveyedPool } from '#model';
import { type Findings, uniqueNames } from '../../own-findings.ts';
import type { Directive, Token } from './directives.ts';
import { named, walk } from './texts.ts';

/** A word that names a server's Unix socket: `unix:/run/app.sock`, `http://unix:/run/app.sock:/uri`. */
export interface UnixServer {
  readonly directive: Directive;
  readonly token: Token;
  readonly path: string;
}

const passes = /^(?:proxy|grpc|fastcgi|uwsgi|scgi|memcached)_pass$/;
const unixWord = /^(?:[a-z]+:\/\/)?unix:([^:]*)/;
const schemePorts: Readonly<Record<string, number>> = { http: 80, https: 443, grpc: 80, grpcs: 443 };

type PlaceOf = (directive: Directive, token?: Token) => SurveyedPool['place'];

/** `upstream` blocks, and the addresses that a `*_pass` names itself. */
export function poolsOf(
  directives: readonly Directive[],
  findings: Findings,
  placeOf: PlaceOf,
): SurveyedPool[] {
  const upstreams = named(directives, 'http').flatMap(({ block }) => named(block, 'upstream'));
  const names = new Set(upstreams.map(({ args }) => args[0]?.value ?? ''));
  const unique = uniqueNames();
  const pools = upstreams.flatMap((upstream): SurveyedPool[] => {
    const servers = serversOf(upstream, findings, placeOf);
    const name = unique(upstream.args[0]?.value ?? 'upstream');
    const algorithm = algorithmOf(upstream);
    return servers.length === 0 ? [] : [{ name, algorithm, check: null, servers, place: placeOf(upstream) }];
  });
  const direct = new Map<string, SurveyedPool>();
  walk(directives, (directive) => {
    const [target] = directive.args;
    if (!passes.test(directive.name) || !target || unixWord.test(target.value)) return;
    const { targets, isWhole } = targetsOf(directives, target.value);
    if (!isWhole) {
      const others = targets.length > 0 ? `all of what ${target.value} may be` : target.value;
      const why = `is not probed before a change: ${others} is known only with a request`;
      findings.note(placeOf(directive, target), directive.name, why);
    }
    for (const text of targets) {
      const address = directAddress(text);
      if (!address || names.has(address.name)) continue;
      const name = `${address.host}:${address.port}`;
      const place = placeOf(directive, target);
      if (text !== target.value && isIP(address.host) === 0) {
        const why = `is not probed before a change: the engine asks its own name servers for ${address.host}`;
        findings.note(place, directive.name, why);
        continue;
      }
      const server = { name, host: address.host, port: address.port, weight: 1, place };
      if (!direct.has(name))
        direct.set(name, {
          name: unique(name),
          algorithm: 'roundrobin',
          check: null,
          servers: [server],
          place,
        });
    }
  });
  return [...pools, ...direct.values()];
}

/** The first variable of a target's authority: what follows the path is no address. */
const variable = /^((?:[a-z]+:\/\/)?[^/$]*)\$(?:\{(\w+)\}|(\w+))(.*)$/s;
const valuesMax = 1_000;

/** What a target may be, where variables of this text's own `map`, `geo`, `split_clients` and `set` stand in its address. */
function targetsOf(
  directives: readonly Directive[],
  target: string,
): { readonly targets: readonly string[]; readonly isWhole: boolean } {
  const [, before, braced, plain, after] = variable.exec(target) ?? [];
  if (before === undefined) return { targets: [target], isWhole: true };
  const values = valuesOf(directives, `$${braced ?? plain}`);
  const known = values.filter((value) => !value.includes('$') && value !== '').slice(0, valuesMax);
  // Another variable behind it would be another search; these begin with a slash.
  const isOpen = /^[^/]*\$(?!(?:request_uri|uri|document_uri)\b)/.test(after ?? '');
  const isWhole = !isOpen && values.length > 0 && values.every((value) => !value.includes('$'));
  return { targets: isOpen ? [] : known.map((value) => `${before}${value}${after}`), isWhole };
}

function valuesOf(directives: readonly Directive[], name: string): readonly string[] {
  const values = new Set<string>();
  const add = (token: Token | undefined) => {
    if (token) values.add(token.value);
  };
  walk(directives, ({ name: what, args, block }) => {
    if (what === 'set' && args[0]?.value === name) add(args[1]);
    const isTable = what === 'map' || what === 'geo' || what === 'split_clients';
    if (!isTable || args.at(-1)?.value !== name) return;
    for (const entry of block ?? []) if (!tableWords.has(entry.name)) add(entry.args[0]);
  });
  return [...values];
}

/** Entries that give no value. */
const tableWords = new Set([
  'include',
  'hostnames',
  'volatile',
  'ranges',
  'proxy',
  'proxy_recursive',
  'delete',
]);

function algorithmOf({ block }: Directive): Algorithm {
  const has = (name: string) => named(block, name).length > 0;
  if (has('least_conn')) return 'leastconn';
  if (has('ip_hash')) return 'source';
  return has('random') ? 'random' : 'roundrobin';
}

function serversOf(upstream: Directive, findings: Findings, placeOf: PlaceOf): SurveyedPool['servers'] {
  const unique = uniqueNames();
  return named(upstream.block, 'server').flatMap((directive) => {
    const [address, ...options] = directive.args;
    if (!address || options.some(({ value }) => value === 'down')) return [];
    const weight = Number(options.flatMap(({ value }) => /^weight=(\d+)$/.exec(value)?.[1] ?? [])[0] ?? 1);
    const parsed = addressOf(address.value, 80);
    const resolved = options.some(({ value }) => value === 'resolve' || value.startsWith('service='));
    if (!parsed || resolved) {
      const why = parsed ? 'the engine asks its own name servers for it' : 'it is a Unix socket';
      const path = `upstream "${upstream.args[0]?.value ?? ''}" server ${address.value}`;
      findings.note(placeOf(directive, address), path, `is not probed before a change: ${why}`);
      return [];
    }
    const name = unique(`${parsed.host}:${parsed.port}`);
    const share = Math.min(256, Math.max(1, weight));
    return [
      { name, host: parsed.host, port: parsed.port, weight: share, place: placeOf(directive, address) },
    ];
  });
}

function directAddress(target: string) {
  const [, scheme, rest = target] = /^([a-z]+):\/\/(.*)$/.exec(target) ?? [];
  const authority = rest.split(/[/$]/)[0] ?? '';
  const parsed = addressOf(authority, schemePorts[scheme ?? ''] ?? 80);
  return parsed && { ...parsed, name: authority };
}

function addressOf(text: string, port: number): { readonly host: string; readonly port: number } | null {
  if (text.startsWith('unix:')) return null;
  const [, v6, name, digits] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = (v6 ?? name ?? '').toLowerCase();
  return host === '' ? null : { host, port: digits === undefined ? port : Number(digits) };
}

export function unixServers(directives: readonly Directive[]): readonly UnixServer[] {
  const found: UnixServer[] = [];
  walk(directives, (directive) => {
    const [token] = directive.args;
    if (!token || !(passes.test(directive.name) || directive.name === 'server')) return;
    const path = unixWord.exec(token.value)?.[1];
    if (path !== undefined) found.push({ directive, token, path });
  });
  return found;
}
