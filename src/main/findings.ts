import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { RunningEngine } from '#agent';
import type { SitePaths } from '#base';
import { ownDialects } from '#dialects';
import { foreignEngines } from '#engines';
import type { Site } from '#model';
import { balancerPlaces } from './places.ts';

/** What a person reads before anything is touched: what runs, and what will be different in ours. */
export function findingsOf(site: Site, engine: RunningEngine, paths: SitePaths): string[] {
  return [...foundLines(engine), '', ...rewritten(site, paths), ''];
}

/** Who runs, how it was started, and what it has. */
export function foundLines(engine: RunningEngine): string[] {
  const { dialect, version, main, processes, command, binary, user, root, unit, loadedAt, sockets } = engine;
  const others = processes.filter(({ pid }) => pid !== main.pid).map(({ pid }) => pid);
  const addresses = new Set(
    sockets.map(({ host, port }) => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`)),
  );
  return [
    `  found       ${foreignEngines[dialect].executable} ${version}, process ${main.pid}${others.length > 0 ? ` with ${others.join(', ')}` : ''}`,
    `  command     ${[binary, ...command.args].join(' ')}`,
    `  listens on  ${[...addresses].join(', ')}`,
    `  runs as     ${user}${root === null ? '' : `, in ${root}`}`,
    `  service     ${unit ?? 'none: nobody starts it again'}`,
    `  read its text at ${new Date(loadedAt).toISOString()}`,
  ];
}

/** Every line of the text that a generation has otherwise. */
function rewritten(site: Site, paths: SitePaths): string[] {
  const [balancer] = site.balancers;
  if (site.own === null || !balancer) return [];
  const folder = join(balancerPlaces(paths, balancer.name).run, 'g1');
  const listeners = Object.fromEntries(
    site.listeners.map(({ name }, index) => [name, { kind: 'fd', fd: 3 + index } as const]),
  );
  const { rewritten: lines } = ownDialects[site.own.dialect].transplant(site.own, {
    purpose: 'serve',
    placement: { listeners, control: join(folder, 'control.sock'), threads: availableParallelism() },
    folder,
    files: {},
  });
  return [
    `  Ours runs ${site.own.file} as it is, but for ${lines.length} lines:`,
    ...lines.flatMap(({ file, line, before, after, why }) => [
      `    ${file}:${line} ${why}`,
      ...(before === '' ? [] : [`      - ${before.trim()}`]),
      ...(after === '' ? [] : [`      + ${after.trim()}`]),
    ]),
  ];
}
