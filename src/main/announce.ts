import type { SiteText } from '#contract';
import { chooseEngine, engines } from '#engines';
import { boundHost, hostPort, isStream, type Listener, type Site, schemeOf } from '#model';

export interface Announced {
  readonly site: Site;
  readonly file: string;
  /** What is served, and whether that is what the file says. */
  readonly serving: SiteText;
  readonly same: boolean;
  readonly apiUrl: string;
}

/** What a person reads when the site is up: where everything is, and what to try next. */
export async function announcement({ site, file, serving, same, apiUrl }: Announced): Promise<string> {
  const lines = ['', `  ${site.name} is up.`, ''];
  for (const balancer of site.balancers) {
    const { engine, binary } = await chooseEngine(balancer.engine);
    const urls = site.listeners.map((l) => urlOf(l, boundHost(l, balancer)));
    lines.push(`  ${balancer.name.padEnd(12)} ${urls.join('  ')}   (${engine.name} ${binary.version})`);
  }
  lines.push(`  ${'API'.padEnd(12)} ${apiUrl}`, '');
  if (site.balancers.some((b) => b.engine === 'auto') && !(await engines.haproxy.find()))
    lines.push(
      `  HAProxy is not installed: the built-in engine serves, which is for trying out.`,
      `  Install it: ${engines.haproxy.install}`,
      '',
    );
  if (!same)
    lines.push(
      `  ${file} differs from what was last proven good (${serving.file}), which is what runs.`,
      `  To go live with it: npx holdfast apply ${file}`,
      '',
    );
  const [first] = site.balancers;
  const listener = site.listeners.find((l) => !isStream(l));
  const url = first && listener ? `${urlOf(listener, boundHost(listener, first))}/` : null;
  lines.push(
    '  Try next, in another terminal:',
    ...(url === null ? [] : [`    curl ${url}`]),
    `    npx holdfast status`,
    `    npx holdfast apply ${file}`,
    '',
    '  Ctrl-C stops everything.',
    '',
  );
  return lines.join('\n');
}

function urlOf(listener: Listener, host: string): string {
  return `${schemeOf(listener)}://${hostPort(host, listener.port)}`;
}
