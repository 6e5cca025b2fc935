#!/usr/bin/env node
// The door for every Node from 20 up: the product itself runs on the Node that is pinned in node_modules,
// because it needs type stripping and node:sqlite.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

const entry = new URL('../src/main/cli.ts', import.meta.url);
const neededMajor = 26;

if (Number(process.versions.node.split('.')[0]) >= neededMajor) {
  try {
    const { codeFolder } = await import('../src/base/code-folder.js');
    // With what Node made of our source the last time, it starts in a third of the time. Where it cannot write, it reads or does without.
    module.enableCompileCache(codeFolder());
  } catch {
    // A user without a name has no folder for it.
  }
  await import(entry.href);
} else {
  const pinned = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url));
  if (!existsSync(pinned)) {
    process.stderr.write(
      `holdfast needs Node ${neededMajor} or later; this is ${process.versions.node} and the pinned one is missing.\nRun: npm ci\n`,
    );
    process.exit(70);
  }
  const child = spawn(pinned, [fileURLToPath(entry), ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) =>
    process.exit(code ?? 128 + (constants.signals[signal ?? 'SIGKILL'] ?? 9)),
  );
}
