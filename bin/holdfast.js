#!/usr/bin/env node
// The door for every Node from 20 up: the product itself runs on the Node that is pinned in node_modules,
// because it needs type stripping and node:sqlite. `holdfast` beside this file finds that one without another's help.
const neededMajor = 26;

if (Number(process.versions.node.split('.')[0]) >= neededMajor) {
  const { urgently } = await import('../src/cli/urgent.js');
  const code = await urgently(process.argv.slice(2));
  if (code === null) await whole();
  else process.exitCode = code;
} else await pinned();

async function whole() {
  try {
    const { enableCompileCache } = process.getBuiltinModule('node:module');
    const { codeFolder } = await import('../src/base/code-folder.js');
    // With what Node made of our source the last time, it starts in a third of the time. Where it cannot write, it reads or does without.
    const folder = codeFolder();
    if (folder !== null) enableCompileCache(folder);
  } catch {
    // A user without a name has no folder for it.
  }
  await import('../src/main/cli.ts');
}

async function pinned() {
  const [{ spawn }, { existsSync }, { constants }, { fileURLToPath }] = await Promise.all([
    import('node:child_process'),
    import('node:fs'),
    import('node:os'),
    import('node:url'),
  ]);
  const node = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url));
  if (!existsSync(node)) {
    process.stderr.write(
      `holdfast needs Node ${neededMajor} or later; this is ${process.versions.node} and the pinned one is missing.\nRun: npm ci\n`,
    );
    process.exit(70);
  }
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) =>
    process.exit(code ?? 128 + (constants.signals[signal ?? 'SIGKILL'] ?? 9)),
  );
}
