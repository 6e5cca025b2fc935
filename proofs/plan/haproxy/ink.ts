/** What the parts of a text are made of, and what they leave behind for its requests. */
import type { Chance } from '../chance.ts';
import type { Words } from '../requests.ts';

export const paths: readonly string[] = [
  '/api',
  '/api/v1',
  '/static',
  '/admin',
  '/',
  '/img/a.png',
  '/shop/cart',
  '/app',
  '/.well-known/x',
  '/Login',
  '/a+b/c',
];
export const hosts: readonly string[] = [
  'www.example.com',
  'shop.example.com',
  'api.example.com',
  'example.com',
  'blog.test',
  'a.b.test',
];
export const values: readonly string[] = [
  ...['one', 'two', 'WebSocket', 'gzip, br', 'Mozilla/5.0', 'bot', '17', 'https', '-3', '10.1.2.3'],
];
export const names: readonly string[] = [
  ...['x-one', 'x-two', 'upgrade', 'user-agent', 'x-forwarded-proto', 'x-forwarded-for', 'referer', 'accept'],
];
export const networks: readonly string[] = [
  ...[
    '10.0.0.0/8',
    '192.168.1.0/24',
    '127.0.0.1',
    '172.16.0.0/12',
    '10/8',
    '127.1',
    '192.168.0.0/255.255.254.0',
    '8.8.8.8',
  ],
];
export const sources: readonly string[] = [
  '10.1.2.3',
  '192.168.1.9',
  '192.168.2.9',
  '127.0.0.1',
  '8.8.8.8',
  '172.31.0.1',
];

/** What the engine's process, and the lift, find in their environment. */
export const environment: Readonly<Record<string, string>> = {
  HF_PATH: '/api',
  HF_HOST: 'shop.example.com',
  HF_EMPTY: '',
  HF_ONE: '1',
  HF_WORDS: '/app /static',
};

export interface Ink {
  readonly chance: Chance;
  /** In front of each name, since many texts stand in one process. */
  readonly prefix: string;
  /** In front of each file's path. */
  readonly files: Record<string, string>;
  readonly filesAt: string;
  readonly words: Words;
  /** Names of the section's `acl` lines. */
  acls: string[];
  variables: string[];
  /** The defaults that the frontend takes have rules of their own. */
  ruledBefore: boolean;
  /** The section that is made now is one that requests come in by. */
  isFront: boolean;
}

export function fileOf(ink: Ink, name: string, lines: readonly string[]): string {
  const path = `${ink.filesAt}.${name}`;
  ink.files[path] = `${lines.join('\n')}\n`;
  return path;
}

/** Below the name of a section. */
export const indented = (lines: readonly string[]) =>
  lines.flatMap((line) => line.split('\n')).map((line) => `  ${line}`.replaceAll('\t', '\t  '));
