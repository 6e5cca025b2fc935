/** How many of a folder's haproxy.cfg and nginx.conf files can be adopted: `npm run prove:adopt -- --corpus DIR`. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { checkOwnText } from '#agent';
import type { Diagnostic } from '#base';
import { readLocally } from '#cli';
import { dialectOf, ownDialects } from '#dialects';
import type { OwnDialectName } from '#model';
import { selfSigned } from '../../test/world/certificate.ts';
import type { Proof } from '../proof.ts';

type Verdict =
  /** `unseen`: it is served and switched, and this of it is not watched or probed. */
  | { readonly kind: 'adopted'; readonly unseen: readonly Diagnostic[] }
  | { readonly kind: 'refused'; readonly why: readonly Diagnostic[] }
  /** Its own engine, of the version that is installed, does not accept it. */
  | { readonly kind: 'broken'; readonly output: string }
  /** Its engine accepts the text and refuses what Holdfast makes of it: a defect. */
  | { readonly kind: 'spoilt'; readonly output: string };

const standInsMax = 40;
const shownMax = 4;

export async function corpus(proof: Proof, folder: string): Promise<void> {
  for (const dialect of ['haproxy', 'nginx'] as const) {
    const files = filesIn(folder).filter((file) => dialectIn(file) === dialect);
    if (files.length === 0) continue;
    proof.say(`${dialect}: ${files.length} files of ${folder}`);
    const all: { file: string; verdict: Verdict }[] = [];
    for (const file of files) all.push({ file, verdict: await judged(file, dialect) });
    tell(proof, all);
  }
}

function tell(proof: Proof, all: readonly { file: string; verdict: Verdict }[]): void {
  const adopted = all.flatMap(({ file, verdict }) => (verdict.kind === 'adopted' ? [{ file, verdict }] : []));
  const whole = adopted.filter(({ verdict }) => verdict.unseen.length === 0);
  proof.tell('adopted, and all of it is watched', whole.length);
  proof.tell('adopted, a part of it unwatched', adopted.length - whole.length);
  group(
    proof,
    'unwatched',
    adopted.flatMap(({ file, verdict }) =>
      verdict.unseen.map((one) => ({ file, why: one.message, line: one.place?.line })),
    ),
  );
  const refused = all.flatMap(({ file, verdict }) => (verdict.kind === 'refused' ? [{ file, verdict }] : []));
  proof.tell('refused', refused.length);
  group(
    proof,
    'refused',
    refused.flatMap(({ file, verdict }) =>
      verdict.why.map((one) => ({ file, why: one.message, line: one.place?.line })),
    ),
  );
  const broken = all.flatMap(({ file, verdict }) =>
    verdict.kind === 'broken' ? [{ file, why: firstOf(verdict.output), line: undefined }] : [],
  );
  proof.tell('not accepted by the engine that is installed here', broken.length);
  group(proof, 'engine', broken);
  const spoilt = all.filter(({ verdict }) => verdict.kind === 'spoilt');
  for (const { file, verdict } of spoilt)
    if (verdict.kind === 'spoilt') proof.say(`      ${basename(file)}: ${firstOf(verdict.output)}`);
  proof.atMost('accepted as it is, and not as Holdfast runs it', spoilt.length, 0);
  const placed = refused.flatMap(({ verdict }) => verdict.why);
  proof.holds(
    'refusals that name a line',
    `${placed.filter(({ place }) => place !== null).length} of ${placed.length}`,
    'all',
    placed.every(({ place }) => place !== null),
  );
}

/** By reason, names and numbers aside; the most frequent first. */
function group(
  proof: Proof,
  what: string,
  found: readonly { readonly file: string; readonly why: string; readonly line: number | undefined }[],
): void {
  const groups = Map.groupBy(found, ({ why }) =>
    why
      .replace(/"[^"]*"|'[^']*'/g, '"..."')
      .replace(/\$?[/.\w{}:$-]*[/$][^\s,]*/g, '...')
      .replace(/\b[A-Z][A-Z_]{2,}(?:, [A-Z_]+)*/g, 'NAME')
      .replace(/\d+/g, 'N'),
  );
  for (const [why, all] of [...groups].toSorted((a, b) => b[1].length - a[1].length)) {
    const files = [
      ...new Set(all.map(({ file, line }) => `${basename(file)}${line === undefined ? '' : `:${line}`}`)),
    ];
    const names = `${files.slice(0, shownMax).join(', ')}${files.length > shownMax ? ', ...' : ''}`;
    proof.say(`      ${what}: ${new Set(all.map(({ file }) => file)).size} files: ${why} (${names})`);
  }
}

async function judged(file: string, dialect: OwnDialectName): Promise<Verdict> {
  const place = mkdtempSync(join(tmpdir(), 'hf-corpus-'));
  chmodSync(place, 0o755);
  try {
    const standIns = new StandIns(place, dialect);
    let text = standIns.whole(readFileSync(file, 'utf8'));
    const path = join(place, dialect === 'haproxy' ? 'haproxy.cfg' : 'nginx.conf');
    for (let left = standInsMax; ; left -= 1) {
      writeFileSync(path, text);
      const { site, surveyed, diagnostics } = await readLocally(path, dialect);
      const without = standIns.files(
        text,
        surveyed?.own ? ownDialects[dialect].files(surveyed.own) : [],
        diagnostics,
      );
      if (without !== text && left > 0) {
        text = without;
        continue;
      }
      if (!site) return { kind: 'refused', why: diagnostics.filter(({ severity }) => severity === 'error') };
      const said = await checkOwnText(site);
      if (said.accepted) return { kind: 'adopted', unseen: diagnostics };
      const next = standIns.named(text, said.output);
      if (next === text || left === 0)
        return { kind: isAccepted(dialect, path) ? 'spoilt' : 'broken', output: said.output };
      text = next;
    }
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** What its engine says of the text as the team wrote it. NGINX as a user without rights: as root it deletes what `pid` names. */
function isAccepted(dialect: OwnDialectName, path: string): boolean {
  const [program, args] =
    dialect === 'haproxy'
      ? ['/usr/sbin/haproxy', ['-q', '-c', '-f', path]]
      : ['/usr/sbin/nginx', ['-t', '-c', path, '-p', tmpdir()]];
  const who = dialect === 'haproxy' ? {} : { uid: nobody, gid: nobody };
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8', cwd: '/', ...who });
  // That far it came by having read all of the text.
  return (
    status === 0 ||
    /^nginx: \[emerg\] .*\((?:13: Permission denied|1: Operation not permitted)\)/m.test(stderr)
  );
}

const nobody = 65_534;

/** What a lone file lacks on a machine that is not its own: what it is a part of, files, names, users. Lines stay where they are. */
class StandIns {
  readonly #place: string;
  readonly #dialect: OwnDialectName;
  #count = 0;

  constructor(place: string, dialect: OwnDialectName) {
    this.#place = place;
    this.#dialect = dialect;
  }

  /** NGINX's usual part, of `http`, or of a server in it. */
  whole(text: string): string {
    if (this.#dialect === 'haproxy' || /^\s*http\s*\{/m.test(text)) return text;
    const isServer = /^\s*(?:server|upstream|map|geo|limit_req_zone|proxy_cache_path)\b/m.test(text);
    return isServer ? `events {} http { ${text}\n}\n` : `events {} http { server { listen 80; ${text}\n} }\n`;
  }

  /** Certificates, lists and included files that are not here. */
  files(
    text: string,
    named: readonly { readonly path: string; readonly use: string }[],
    diagnostics: readonly Diagnostic[],
  ): string {
    const lists = diagnostics.flatMap(({ message }) =>
      / (?:\S+ )?is not there$/.exec(message) ? [message.replace(/ is not there$/, '')] : [],
    );
    const certificates = named
      .filter(({ path, use }) => use === 'read' && !existsSync(path))
      .map(({ path }) => path);
    return [
      ...lists.map((path) => [path, ''] as const),
      ...certificates.map((path) => [path, isList(text, path) ? '' : `${pair.cert}${pair.key}`] as const),
    ].reduce((before, [path, content]) => this.#replaced(before, path, content), text);
  }

  /** What the engine says that it lacks. */
  named(text: string, output: string): string {
    const path =
      /(?:failed to open|unable to (?:open|load|read)|could not open|cannot open|No such file[^']*|open\(\)|BIO_new_file\(\)|loading)[^'"/]*['"]?(\/[^'"\s):]+)/i.exec(
        output,
      )?.[1];
    if (path && !path.startsWith(this.#place) && text.includes(basename(path)))
      return this.#replaced(text, path, '');
    const [, inHaproxy] = /could not resolve address '([^']+)'/.exec(output) ?? [];
    if (inHaproxy) return text.replaceAll(addressWord(inHaproxy), '127.0.0.1');
    const [, inNginx] =
      /host not found in (?:upstream|resolver|"listen"[^"]*) ?"?([^":\s]+)/.exec(output) ?? [];
    if (inNginx) return replacedWord(text, inNginx, '127.0.0.1');
    const user = /cannot find user id for '([^']+)'|getpwnam\("([^"]+)"\)/
      .exec(output)
      ?.slice(1)
      .find(Boolean);
    if (user) return replacedWord(text, user, 'nobody');
    const groupName = /cannot find group id for '([^']+)'|getgrnam\("([^"]+)"\)/
      .exec(output)
      ?.slice(1)
      .find(Boolean);
    return groupName ? replacedWord(text, groupName, 'nogroup') : text;
  }

  #replaced(text: string, path: string, content: string): string {
    const names = [path, path.replace(`${this.#place}/`, ''), path.replace('/etc/nginx/', '')];
    const name = names.find((one) => text.includes(one));
    if (name === undefined) return text;
    this.#count += 1;
    const instead = join(this.#place, `stand-in-${this.#count}`);
    mkdirSync(this.#place, { recursive: true });
    writeFileSync(instead, content);
    return text.replaceAll(new RegExp(`(?<![\\w/.-])${literal(name)}(?![\\w/.-])`, 'g'), instead);
  }
}

const pair = selfSigned('corpus.example');

function isList(text: string, path: string): boolean {
  return new RegExp(`crt-list[ \\t]+\\S*${literal(basename(path))}`).test(text);
}

/** Behind a server's name, or `bind`; not the name of a server, which may be the same word. */
function addressWord(name: string): RegExp {
  return new RegExp(
    `(?<=^[ \\t]*(?:server[ \\t]+\\S+|bind|peer[ \\t]+\\S+|nameserver[ \\t]+\\S+|log)[ \\t]+)${literal(name)}(?![\\w.-])`,
    'gm',
  );
}

function replacedWord(text: string, word: string, instead: string): string {
  return text.replaceAll(new RegExp(`(?<![\\w.-])${literal(word)}(?![\\w.-])`, 'g'), instead);
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

function firstOf(output: string): string {
  const lines = output.split('\n').filter((line) => /\[(?:ALERT|emerg)\]/.test(line));
  return (lines[0] ?? output.split('\n')[0] ?? '')
    .replace(/^.*?\[(?:ALERT|emerg)\]\s*(?:\(\d+\)\s*:)?/, '')
    .trim();
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile() && /\.(?:cfg|conf)$/.test(one.name))
    .map((one) => join(one.parentPath, one.name))
    .sort();
}

function dialectIn(file: string): OwnDialectName | null {
  const found = dialectOf(readFileSync(file, 'utf8'));
  if (found !== 'site') return found;
  return file.endsWith('.cfg') ? 'haproxy' : 'nginx';
}
