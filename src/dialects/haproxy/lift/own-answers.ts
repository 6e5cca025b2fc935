import { meaning } from '#routing';
import type { Line, Section } from '../own/sections.ts';
import type { ProxySection } from './proxy.ts';
import { replyOf } from './replies.ts';
import type { Scene } from './scene.ts';
import { bytes, type Notes } from './source.ts';

type Fate = meaning.Fate;

/** Answers that the engine makes itself. */
export interface OwnAnswers {
  /** As the backend's `errorfile` and its like have it, or the frontend's, or the engine (`http_error_message`, 2.6). */
  of(status: number, scene: Scene): Fate;
  /** One that a file holds whole. */
  ofFile(path: string, status: number): Fate;
  /** Of a section `http-errors`. */
  ofSection(name: string, status: number, scene: Scene): Fate;
}

/** @param proxies the one that is asked first, first. */
export function ownAnswersOf(
  proxies: readonly ProxySection[],
  sections: readonly Section[],
  notes: Notes,
): OwnAnswers {
  const ofFile = (path: string, status: number) => answerIn(path, status, notes);
  const errorsOf = (name: string) =>
    sections.find((one) => one.kind === 'http-errors' && one.name === name)?.lines ?? [];
  /** The last line that says something of this status. */
  const said = (lines: readonly Line[], status: number, scene: Scene): Fate | null => {
    for (const line of lines.toReversed()) {
      const fate = saidBy(line, status, scene);
      if (fate !== null) return fate;
    }
    return null;
  };
  const saidBy = (line: Line, status: number, scene: Scene): Fate | null => {
    const [keyword = '', first = '', second = '', ...others] = line.words.map(({ value }) => value);
    const isMeant = Number(first) === status;
    switch (keyword) {
      case 'errorfile':
        return isMeant ? ofFile(second, status) : null;
      case 'errorloc':
      case 'errorloc302':
      case 'errorloc303': {
        const to = keyword === 'errorloc303' ? 303 : 302;
        return isMeant ? { kind: 'redirect', status: to, location: meaning.text(bytes(second)) } : null;
      }
      case 'http-error': {
        const reply =
          first === 'status' && Number(second) === status ? replyOf(line.words, status, line, scene) : '';
        return typeof reply === 'string' ? null : reply.fate;
      }
      case 'errorfiles': {
        const codes = [second, ...others].filter(Boolean);
        return codes.length > 0 && !codes.includes(`${status}`) ? null : said(errorsOf(first), status, scene);
      }
      default:
        return null;
    }
  };
  return {
    of: (status, scene) => {
      for (const { lines } of proxies) {
        const fate = said(lines, status, scene);
        if (fate !== null) return fate;
      }
      return plain(status);
    },
    ofFile,
    ofSection: (name, status, scene) => said(errorsOf(name), status, scene) ?? plain(status),
  };
}

const plain = (status: number): Fate => ({ kind: 'answer', status, body: null });

const redirects = new Set([301, 302, 303, 307, 308]);

/** A file that cannot be read is taken to say what it is there for; an empty one says nothing at all. */
function answerIn(path: string, status: number, notes: Notes): Fate {
  const held = path === '/dev/null' ? '' : notes.source.read(path);
  if (held === null) return plain(status);
  if (held === '') return { kind: 'reject', how: 'close' };
  const [, said = `${status}`] = /^HTTP\/\d\.\d +(\d{3})/.exec(held) ?? [];
  const [head = ''] = held.split(/\r?\n\r?\n/);
  const [, location] = /^location:[ \t]*(.*?)[ \t]*\r?$/im.exec(head) ?? [];
  const code = Number(said);
  return redirects.has(code) && location !== undefined
    ? { kind: 'redirect', status: code, location: meaning.text(bytes(location)) }
    : plain(code);
}
