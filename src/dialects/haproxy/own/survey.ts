import type { Place } from '#base';
import {
  type Algorithm,
  algorithms,
  type OwnText,
  ownSite,
  type ParsedSite,
  type SurveyedPool,
  type SurveyedSite,
  type WrittenText,
} from '#model';
import { collectFindings, type Findings, uniqueNames } from '../../own-findings.ts';
import { bindLines, setItHere } from './binds.ts';
import { certificatesOf, fileWords, listedFiles } from './files.ts';
import { isDisabled, isHttp, type Line, type Section, sectionsOf, settingOf } from './sections.ts';
import { plainCheck, type ServerLine, serverLines } from './servers.ts';
import { unixLinks } from './unix.ts';

/** A haproxy.cfg as a site, as far as its sockets and servers go. */
export function adopt(written: WrittenText): ParsedSite {
  const { file, text } = written;
  const findings = collectFindings();
  const sections = sectionsOf(text);
  const place = (line: Line, column = 1): Place => ({ file, line: line.number, column });
  const listeners = surveyListeners(sections, findings, place);
  const pools = surveyPools(sections, findings, place);
  refuseSections(sections, findings, place);
  refuseWords(sections, findings, place);
  refuseRelative(sections, written, findings);
  if (listeners.length === 0 && findings.all.every(({ severity }) => severity !== 'error'))
    findings.refuse(
      { file, line: 1, column: 1 },
      '',
      'no frontend listens on an address',
      'Name the whole haproxy.cfg, not a part of it; or add a bind line',
    );
  const failed = findings.all.some(({ severity }) => severity === 'error');
  const diagnostics = findings.all.toSorted((a, b) => (a.place?.line ?? 0) - (b.place?.line ?? 0));
  // HAProxy reads relative names from where it was started, not from where its text lies.
  const own: OwnText = {
    dialect: 'haproxy',
    file,
    folder: '/',
    text,
    includes: written.includes ?? [],
    digests: written.digests ?? [],
    httpListener: httpListenerOf(sections),
    certificates: certificatesOf(sections, written),
  };
  const balancer = {
    name: written.balancer ?? 'lb-1',
    engine: 'haproxy' as const,
    address: '0.0.0.0',
    place: { file, line: 1, column: 1 },
  };
  const made = ownSite({ name: written.site ?? 'haproxy', listeners, pools, balancer, own });
  const all = [...diagnostics, ...made.diagnostics];
  return failed
    ? { site: null, surveyed: made.site, diagnostics: all }
    : { site: made.site, diagnostics: all };
}

type PlaceOf = (line: Line, column?: number) => Place;

function surveyListeners(
  sections: readonly Section[],
  findings: Findings,
  place: PlaceOf,
): SurveyedSite['listeners'] {
  const links = unixLinks(sections);
  const boundAt = new Map<string, number>();
  return bindLines(sections).flatMap(({ section, line, tls, addresses, refused }) => {
    const at = place(line, (line.words[1]?.start ?? 0) + 1);
    const path = `${section.kind} "${section.name}" bind`;
    if (line.conditional)
      findings.refuse(
        at,
        path,
        'stands inside .if, so whether it listens is not known',
        'Take it out of .if',
      );
    for (const { word, why } of refused)
      findings.refuse(place(line, word.start + 1), `${path} ${word.value}`, why, 'Take the option out');
    return addresses.flatMap((address) => {
      if (address.kind === 'refused') findings.refuse(at, path, address.why, address.remedy);
      if (address.kind === 'unix' && !links.has(address.path))
        findings.refuse(
          at,
          path,
          `${address.path} is a Unix socket that no server line of this text connects to`,
          'Let it listen on an address of the machine',
        );
      if (address.kind !== 'listener') return [];
      const { name, host, port, dualStack } = address;
      const key = `${host}:${port}`;
      const before = boundAt.get(key);
      if (before !== undefined)
        findings.refuse(at, path, `${key} is bound on line ${before} already: one socket cannot serve two`);
      boundAt.set(key, line.number);
      return [{ name, host, port, tls, dualStack, place: at }];
    });
  });
}

function httpListenerOf(sections: readonly Section[]): string | null {
  const needs = new Set(['accept-proxy', 'accept-netscaler-cip', 'verify']);
  for (const { section, line, addresses } of bindLines(sections)) {
    if (!isHttp(section) || line.words.some(({ value }) => needs.has(value))) continue;
    const listener = addresses.find((address) => address.kind === 'listener');
    if (listener) return listener.name;
  }
  return null;
}

const hashes: readonly string[] = algorithms;

function surveyPools(sections: readonly Section[], findings: Findings, place: PlaceOf): SurveyedPool[] {
  const lines = serverLines(sections);
  const unique = uniqueNames();
  return sections.flatMap((section) => {
    if ((section.kind !== 'backend' && section.kind !== 'listen') || isDisabled(section)) return [];
    const own = lines.filter((server) => server.section === section && !server.out);
    for (const { line, names, unseen } of own)
      if (unseen !== null)
        findings.note(
          place(line),
          `${section.kind} "${section.name}" server "${names[0] ?? ''}"`,
          `is not probed before a change: ${unseen}`,
        );
    const seen = own.filter(({ unseen }) => unseen === null);
    if (seen.length === 0) return [];
    return [{ name: unique(section.name), ...poolOf(section, seen, place), place: place(section.head) }];
  });
}

function poolOf(section: Section, seen: readonly ServerLine[], place: PlaceOf) {
  const unique = uniqueNames();
  const balance = settingOf(section, 'balance')?.words[1]?.value.replace(/\(.*$/, '') ?? '';
  const checked = seen.every(({ check, wrapped }) => check && !wrapped) ? plainCheck(section) : null;
  return {
    algorithm: (hashes.includes(balance) ? balance : 'roundrobin') as Algorithm,
    check: checked,
    servers: seen.flatMap(({ names, host, port, weight, line, address }) =>
      names.map((name) => ({
        name: unique(name),
        host,
        port,
        weight: Math.min(256, Math.max(1, weight || 1)),
        place: place(line, address.start + 1),
      })),
    ),
  };
}

/** Whole sections that do what a second process beside the first must not. */
function refuseSections(sections: readonly Section[], findings: Findings, place: PlaceOf): void {
  for (const section of sections) {
    const { kind, name, head, lines } = section;
    const path = `${kind} ${name}`.trim();
    if (kind === 'program')
      findings.refuse(
        place(head),
        path,
        'only a master process starts programs',
        'Make it a service of its own',
      );
    if (kind === 'log-forward')
      findings.refuse(place(head), path, 'its sockets cannot be lent', 'Make it an HAProxy of its own');
    if (kind === 'peers') {
      const peers = lines.filter(({ words }) => words[0]?.value === 'peer' || words[0]?.value === 'server');
      const bound = lines.find(({ words }) => words[0]?.value === 'bind');
      if (bound !== undefined || peers.length > 1)
        findings.refuse(
          place(bound ?? peers[1] ?? head),
          path,
          'two generations would both speak to the other machines as this one',
          'Leave the other machines out; tables of this one are kept',
        );
    }
    const unnamed = (kind === 'frontend' || kind === 'listen') && !isHttp(section) && !isDisabled(section);
    if (unnamed && lines.some(({ words }) => words[0]?.value === 'bind'))
      findings.note(
        place(head),
        path,
        'is not HTTP: what it answers is not counted, so a change of it is not judged',
      );
  }
}

function refuseRelative(sections: readonly Section[], written: WrittenText, findings: Findings): void {
  const refuse = (file: string, line: number, { start, value }: { start: number; value: string }) =>
    findings.refuse(
      { file, line, column: start + 1 },
      value,
      'is a file name that starts from wherever HAProxy is started',
      'Name the file in full',
    );
  for (const { line, word, relative } of fileWords(sections))
    if (relative) refuse(written.file, line.number, word);
  for (const { path, text } of written.includes ?? [])
    for (const { number, word, relative } of listedFiles(sections, text))
      if (relative) refuse(path, number, word);
}

const needRights: Readonly<Record<string, string>> = {
  usesrc: 'foreign source addresses need rights that the engine does not have',
  'set-mark': 'marking packets needs rights that the engine does not have',
  'set-fc-mark': 'marking packets needs rights that the engine does not have',
  'set-bc-mark': 'marking packets needs rights that the engine does not have',
};

/** Words that mean something else for a process of another user and environment, wherever they stand. */
function refuseWords(sections: readonly Section[], findings: Findings, place: PlaceOf): void {
  for (const section of sections)
    for (const line of [section.head, ...section.lines]) {
      const [first, second, third] = line.words.map(({ value }) => value);
      for (const word of line.words) {
        const unknown = word.unknown.filter((name) => !name.startsWith('HAPROXY_'));
        const at = place(line, word.start + 1);
        if (unknown.length > 0 && first !== 'bind')
          findings.refuse(
            at,
            first ?? '',
            `only the environment knows ${unknown.join(', ')}`,
            setItHere(unknown),
          );
        const why = needRights[word.value];
        if (why !== undefined) findings.refuse(at, word.value, why);
      }
      if (first === 'source' && line.words.some(({ value }) => value === 'interface'))
        findings.refuse(place(line), 'source interface', 'needs rights that the engine does not have');
      if (section.kind !== 'global') continue;
      if (first === 'nbproc' && second !== '1')
        findings.refuse(
          place(line),
          'nbproc',
          'several processes cannot share one control socket',
          'Use nbthread',
        );
      if (first === 'chroot' && sections.some((other) => other.lines.some(isLua)))
        findings.note(place(line), 'chroot', 'is left out, so Lua that opens files finds them from the root');
      if (first === 'stats' && second === 'socket' && third === undefined)
        findings.refuse(place(line), 'stats socket', 'no address is given');
    }
}

function isLua({ words }: Line): boolean {
  return words[0]?.value.startsWith('lua-load') ?? false;
}
