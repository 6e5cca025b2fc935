/** `npm run prove`: every proof, each a process of its own, one after the other. `npm run prove -- NAME...` runs those; `--write` keeps their output in docs/proofs.md. */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type ListedProof, type Outcome, pageWith, proofs, whenAndWhere } from './page.ts';

const root = resolve(import.meta.dirname, '..');
const page = join(root, 'docs/proofs.md');
/** What a proof that is interrupted may take to end what it started. */
const endMsMax = 30_000;

/** Shows what it prints while it prints it. */
function run({ name, program = name, minutesMax }: ListedProof): Promise<Outcome> {
  process.stdout.write(`\nprove:${name} (at most ${minutesMax} minutes)\n`);
  const child = spawn(process.execPath, [join(root, 'proofs', `${program}.ts`)], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  let late = false;
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
    process.stdout.write(chunk);
  });
  const timer = setTimeout(() => {
    late = true;
    child.kill('SIGINT');
    setTimeout(() => child.kill('SIGKILL'), endMsMax).unref();
  }, minutesMax * 60_000);
  return new Promise((done) => {
    child.on('close', (code) => {
      clearTimeout(timer);
      done({ name, exit: late ? null : (code ?? 1), output });
    });
  });
}

async function main(args: readonly string[]): Promise<number> {
  const names = args.filter((argument) => !argument.startsWith('-'));
  const unknown = [
    ...names.filter((name) => !proofs.some((proof) => proof.name === name)),
    ...args.filter((argument) => argument.startsWith('-') && argument !== '--write'),
  ];
  if (unknown.length > 0) {
    process.stderr.write(
      `There is no ${unknown.join(', ')}. Known: ${proofs.map(({ name }) => name).join(', ')}, --write\n`,
    );
    return 1;
  }
  const outcomes: Outcome[] = [];
  for (const proof of proofs.filter(({ name }) => names.length === 0 || names.includes(name)))
    outcomes.push(await run(proof));
  if (args.includes('--write')) {
    writeFileSync(page, pageWith(outcomes, readOr(page), whenAndWhere(new Date())));
    process.stdout.write('\nWritten: docs/proofs.md\n');
  }
  const broken = outcomes.filter(({ exit }) => exit !== 0).map(({ name }) => name);
  const summary = broken.length === 0 ? 'all hold' : `DO NOT HOLD: ${broken.join(', ')}`;
  process.stdout.write(`\n${outcomes.length} of ${proofs.length} proofs were run: ${summary}\n`);
  return broken.length === 0 ? 0 : 1;
}

function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

process.exitCode = await main(process.argv.slice(2));
