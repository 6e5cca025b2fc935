// @ts-check
/*
 * `holdfast rollback` and `holdfast abort` by the shortest way: plain JavaScript and what Node has loaded anyway, no
 * parser of command lines, no type to strip. Whatever is not usual (help, a word that is not known, several sites,
 * a controller that is not there or refuses) is left to the whole program, which says it properly.
 */
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { apiFile, baseFolders, sitesThatRun } from '../base/base-folders.js';
import { goneBack } from './gone-back.js';
import { paintFor } from './paint.js';

const answerTimeoutMs = 30_000;

/**
 * @typedef {object} Wish
 * @property {string} path
 * @property {boolean} json
 * @property {string | undefined} site
 * @property {{ reason: string; change?: string }} body
 */

/**
 * @param {readonly string[]} args without `node` and the file
 * @returns {Promise<number | null>} the exit status; null: nobody was asked, the whole program has to see to it
 */
export async function urgently(args) {
  const wish = wishOf(args);
  const location = wish && locate(wish.site);
  if (!wish || !location) return null;
  const { env, stdout } = process;
  const io = { env, tty: stdout.isTTY === true };
  const body = { by: `person:${env.SUDO_USER ?? userInfo().username}`, ...wish.body };
  const answer = await post(new URL(wish.path, location.url), location.token, JSON.stringify(body));
  if (answer === null) return null;
  if (answer.status !== 200) {
    const { tellRefusal } = await import('./refusal.ts');
    return tellRefusal(answer, location.url, wish.json);
  }
  /** @type {import('#contract').RollbackView} */
  const view = JSON.parse(answer.text);
  const { lines, done } = goneBack(view, paintFor(io));
  stdout.write(wish.json ? `${JSON.stringify(view, null, 2)}\n` : `${lines.join('\n')}\n`);
  return done ? 0 : 1;
}

/**
 * @param {readonly string[]} args
 * @returns {Wish | null}
 */
export function wishOf([command, ...words]) {
  if (command !== 'rollback' && command !== 'abort') return null;
  /** @type {Wish} */
  const wish = { path: `/v1/${command}`, json: false, site: undefined, body: { reason: '' } };
  while (words.length > 0) {
    const word = words.shift() ?? '';
    const [, option, inOne] = /^--(reason|site)(?:=(.*))?$/s.exec(word) ?? [];
    const value = option === undefined ? '' : (inOne ?? words.shift());
    if (value === undefined) return null;
    if (word === '--json') wish.json = true;
    else if (option === 'reason') wish.body.reason = value;
    else if (option === 'site') wish.site = value;
    else if (command === 'abort' && !word.startsWith('-') && wish.body.change === undefined)
      wish.body.change = word;
    else return null;
  }
  return wish;
}

/**
 * @param {string | undefined} site
 * @returns {import('#base').ApiLocation | null}
 */
function locate(site) {
  const { run } = baseFolders();
  const [only, second] = sitesThatRun(run).filter((name) => site === undefined || name === site);
  if (only === undefined || second !== undefined) return null;
  try {
    return JSON.parse(readFileSync(apiFile(run, only), 'utf8'));
  } catch {
    return null;
  }
}

/**
 * Null: nobody took the connection. Status 0: it broke, and whether it was done is not known; who asks again may go back twice.
 * @param {URL} url
 * @param {string} token
 * @param {string} body
 * @returns {Promise<{ status: number; text: string } | null>}
 */
function post(url, token, body) {
  // An import of it would load `fetch` and all that belongs to it: twice what Node takes to start.
  const http = process.getBuiltinModule('node:http');
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  return new Promise((resolve) => {
    const options = { method: 'POST', headers, agent: false, timeout: answerTimeoutMs };
    let connected = false;
    const request = http.request(url, options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      response.on('error', broken);
    });
    /** @param {Error} error */
    const broken = (error) => resolve(connected ? { status: 0, text: error.message } : null);
    request.on('socket', (socket) =>
      socket.on('connect', () => {
        connected = true;
      }),
    );
    request.on('timeout', () => request.destroy(new Error(`no answer within ${answerTimeoutMs} ms`)));
    request.on('error', broken);
    request.end(body);
  });
}
