import { createHash } from 'node:crypto';
import { unreachable } from '#base';
import type { Action, FixedAnswer, Header, PathChange, RedirectTarget } from '#routing';
import { withoutSlash } from '#routing';
import { argument, format, literally, name, ours, word } from './vocabulary.ts';

/**
 * What HAProxy answers by itself, each as a backend of its own: `http-request` rules of a frontend run before every
 * `use_backend`, so that an answer there would come before the take-back.
 */
type OwnAction = Exclude<Action, { kind: 'pool' | 'split' }>;

export function answerName(action: OwnAction): string {
  switch (action.kind) {
    case 'answer':
      return action.body === null && action.headers.length === 0
        ? `${ours.answer}${action.status}`
        : `${ours.answer}${action.status}-${mark(action)}`;
    case 'redirect':
      return `${ours.prefix}redirect-${action.status}-${mark(action)}`;
    case 'reject':
      return `${ours.prefix}reject`;
    default:
      return unreachable(action);
  }
}

/** Tells answers apart, and is the same in every generation. */
function mark(action: OwnAction): string {
  return createHash('sha256').update(JSON.stringify(action)).digest('hex').slice(0, 8);
}

export function backendName(action: Exclude<Action, { kind: 'split' }>): string {
  return action.kind === 'pool' ? name(action.pool) : answerName(action);
}

export function answerLines(action: OwnAction): string[] {
  switch (action.kind) {
    case 'answer':
      return fixedLines(action);
    case 'redirect':
      return redirectLines(action.status, action.to);
    case 'reject':
      return ['http-request reject'];
    default:
      return unreachable(action);
  }
}

function fixedLines({ status, headers, body }: FixedAnswer): string[] {
  const content = body ? ` content-type ${word(body.contentType)} string ${word(body.text)}` : '';
  return [
    // It is meant, so it is no line of the error log.
    ...(status >= 500 ? ['http-request set-log-level silent'] : []),
    `http-request return status ${status}${content}${headers.map(headerWords).join('')}`,
  ];
}

function headerWords({ name: header, value }: Header): string {
  return ` hdr ${word(header)} ${word(format(value))}`;
}

function redirectLines(status: number, { scheme, hostname, port, path }: RedirectTarget): string[] {
  const target = path === null ? 'pathq' : 'var(txn.target)';
  const host = hostname === null ? '%[var(txn.host)]' : format(hostname);
  const location = `${scheme}://${host}${port === null ? '' : `:${port}`}%[${target}]`;
  return [
    ...(hostname === null ? ['http-request return status 400 unless { var(txn.host) -m reg . }'] : []),
    ...(path === null ? [] : [`http-request set-var(txn.target) ${word(changed('pathq', path))}`]),
    `http-request redirect location ${word(location)} code ${status}`,
  ];
}

/** The sample with its path changed; a query behind it stays. */
export function changed(sample: 'path' | 'pathq', change: PathChange): string {
  const [found, instead] = replacement(change);
  return `${sample},regsub(${argument(found)},${argument(instead)})`;
}

/** `/foo` by nothing leaves `/` of `/foo` itself, and `/bar` of `/foo/bar`. */
function replacement(change: PathChange): readonly [found: string, instead: string] {
  if (change.kind === 'full') return ['^[^?]*', change.value];
  const instead = withoutSlash(change.value);
  const prefix = `^${literally(change.prefix)}`;
  return instead === '' ? [`${prefix}/?`, '/'] : [prefix, instead];
}
