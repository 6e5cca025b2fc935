/**
 * `npm run prove:corpus -- DIR`: every `*.cfg` below a folder, understood or not and at which line. Lists and maps that are
 * not there are stood in for by one line, variables by their name.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { liftHaproxy } from '#dialects';
import { prove } from './proof.ts';

const msMax = 10_000;
const engine = { version: '2.6.12', features: ['OPENSSL', 'PCRE2', 'THREAD', 'LUA', 'PROMEX'] };

await prove('corpus', async (proof) => {
  const folder = process.argv.slice(2).find((argument) => !argument.startsWith('-'));
  if (folder === undefined) throw new Error('Name the folder: npm run prove:corpus -- DIR');
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.cfg$/.test(name),
  );
  let [exact, longestMs] = [0, 0];
  for (const name of names.sort()) {
    const began = performance.now();
    const { notUnderstood } = liftHaproxy({
      file: name,
      text: readFileSync(join(folder, name), 'utf8'),
      read: () => 'stand-in stand-in\n',
      environment: (variable) => (/PORT/.test(variable) ? '8080' : variable),
      engine,
    });
    longestMs = Math.max(longestMs, performance.now() - began);
    if (notUnderstood.length === 0) exact += 1;
    for (const { place, why, text } of notUnderstood)
      proof.say(`${place.file}:${place.line} ${why}\n    ${text}`);
  }
  proof.atLeast('files', names.length, 1);
  proof.atLeast('wholly understood, of 100 files', (100 * exact) / Math.max(1, names.length), 90);
  proof.atMost('the longest', longestMs, msMax, 'ms');
});
