import type { Place } from '#base';
import {
  type EngineName,
  engineNames,
  type OwnText,
  ownSite,
  type ParsedSite,
  type WrittenText,
} from '#model';
import { collectFindings, type Findings } from '../../own-findings.ts';
import { certificatesOf } from './certificates.ts';
import type { Directive, Token } from './directives.ts';
import { type Listen, listensOf } from './listens.ts';
import { named, type OwnTexts, readTexts } from './texts.ts';
import { poolsOf, unixServers } from './upstreams.ts';

/** An nginx.conf with its includes as a site, as far as its sockets and servers go. */
export function adopt(written: WrittenText): ParsedSite {
  const { file, folder, text, includes = [], digests = [] } = written;
  const findings = collectFindings();
  const texts = readTexts(file, folder, text, includes);
  const start: Place = { file, line: 1, column: 1 };
  refuseBroken(texts, findings);
  refuseMain(texts.directives, findings);
  const listens = listensOf(texts.directives);
  refuseListens(listens, texts.directives, findings);
  const sockets = [
    ...new Map(listens.flatMap(({ socket }) => (socket ? [[socket.name, socket]] : []))).values(),
  ];
  const pools = poolsOf(texts.directives, findings, placeOf);
  if (sockets.length === 0 && !findings.all.some(({ severity }) => severity === 'error'))
    findings.refuse(
      start,
      'http',
      'no server listens on an address',
      'Name the whole nginx.conf, not a part of it',
    );
  const diagnostics = inOrder(findings.all, [file, ...includes.map(({ path }) => path)]);
  const failed = diagnostics.some(({ severity }) => severity === 'error');
  const plain = sockets.find((socket) => socket.plain)?.name ?? null;
  const certificates = certificatesOf(texts.directives, folder, placeOf);
  const read = { file, folder, text, includes, digests };
  const own: OwnText = { dialect: 'nginx', ...read, httpListener: plain, certificates };
  const listeners = sockets.map(({ name, host, port, tls, dualStack, first }) => {
    const place = placeOf(first.directive ?? first.server);
    return { name, host, port, tls, dualStack, place };
  });
  const engine: EngineName | 'auto' = engineNames.find((name) => name === own.dialect) ?? 'auto';
  const balancer = { name: written.balancer ?? 'lb-1', engine, address: '0.0.0.0', place: start };
  const made = ownSite({ name: written.site ?? 'nginx', listeners, pools, balancer, own });
  const all = [...diagnostics, ...made.diagnostics];
  return failed
    ? { site: null, surveyed: made.site, diagnostics: all }
    : { site: made.site, diagnostics: all };
}

/** File by file, line by line. */
function inOrder(found: Findings['all'], files: readonly string[]): Findings['all'] {
  const fileOf = ({ place }: Findings['all'][number]) => (place ? files.indexOf(place.file) : -1);
  return found.toSorted((a, b) => fileOf(a) - fileOf(b) || (a.place?.line ?? 0) - (b.place?.line ?? 0));
}

function placeOf({ file, at }: Directive, token: Token = at): Place {
  return { file, line: token.line, column: token.start + 1 };
}

function refuseBroken({ broken, includes }: OwnTexts, findings: Findings): void {
  if (broken) findings.refuse(broken, '', broken.what);
  for (const { directive, pattern, found } of includes)
    if (found.length === 0 && !/[*?[]/.test(pattern))
      findings.refuse(placeOf(directive), 'include', `${pattern} is not there`);
}

function refuseMain(directives: readonly Directive[], findings: Findings): void {
  for (const kind of ['stream', 'mail'])
    for (const directive of named(directives, kind))
      findings.refuse(
        placeOf(directive),
        kind,
        'only its http part could be watched and taken back',
        'Make it an NGINX of its own',
      );
  for (const directive of named(directives, 'master_process'))
    if (directive.args[0]?.value === 'off')
      findings.refuse(
        placeOf(directive),
        'master_process off',
        'a generation has a master',
        'Take the line out',
      );
}

/** Options that make more than one socket of an address, or another kind of one. */
const refusedOptions: readonly (readonly [RegExp, string])[] = [
  [/^(?:quic|http3)$/, 'QUIC cannot be lent to an engine'],
  [/^udp$/, 'a datagram socket cannot be lent to an engine'],
];

function refuseListens(
  listens: readonly Listen[],
  directives: readonly Directive[],
  findings: Findings,
): void {
  const reached = new Set(unixServers(directives).map(({ path }) => path));
  for (const { directive, server, options, where } of listens) {
    const place = placeOf(directive ?? server, directive?.args[0]);
    if (where.kind === 'refused') findings.refuse(place, 'listen', where.why);
    if (where.kind === 'unix' && !reached.has(where.path))
      findings.refuse(
        place,
        'listen',
        `${where.path} is a Unix socket that nothing in this text connects to`,
        'Let it listen on an address of the machine',
      );
    for (const option of options)
      for (const [pattern, why] of refusedOptions)
        if (pattern.test(option.value) && directive)
          findings.refuse(placeOf(directive, option), `listen ${option.value}`, why, 'Take the option out');
  }
}
