import { existsSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { Failure, formatDiagnostic, messageOf, sitePaths } from '#base';
import { readLocally } from '#cli';
import type { SiteText } from '#contract';
import { readSite as parseSite } from '#dialects';
import { chooseEngine } from '#engines';
import { readCertificateFile, readCertificates, type Site, siteHash } from '#model';
import { announcement } from './announce.ts';
import { apiOf } from './asking.ts';
import { runningPid } from './children.ts';
import { keptBeside } from './kept-site.ts';
import { type OwnServers, startOwnServers } from './own-servers.ts';
import { balancerPlaces } from './places.ts';
import { runSite } from './run-site.ts';
import { at, type ControllerFlags, keepFirst, say, startAll, statesOf, stopAll } from './site-processes.ts';

export interface UpOptions {
  readonly site: string;
  /** A program that runs the site's own servers beside it, for trying out. */
  readonly with?: string;
  readonly controller: ControllerFlags;
}

/** `holdfast up`: starts agents and controller, keeps them running, and ends everything on Ctrl-C. Resolves when all has ended. */
export async function runUp(options: UpOptions): Promise<void> {
  const { site, text, warnings, isKept } = await readSite(options.site).catch((error: unknown) =>
    instead(options.site, error),
  );
  for (const warning of warnings) process.stderr.write(`${warning}\n`);
  await requireEngines(site);
  const paths = sitePaths(site.name);
  const unproven = statesOf(site, paths).filter((path) => !existsSync(path));
  const holders = site.balancers.map(({ name }) => balancerPlaces(paths, name).holderPid);
  const takesUp = holders.some((file) => runningPid(file) !== null);
  let servers: OwnServers | null = null;
  await runSite({
    site,
    paths,
    controller: options.controller,
    async begin(plans, stopping) {
      const serving = keepFirst(paths, text);
      if (options.with) {
        say(`starting ${options.with} ...`);
        servers = await startOwnServers(options.with, say);
      }
      await startAll(plans, site, stopping).catch((error: unknown) => {
        // What an earlier one left serves: no reason to end that. It is tried again for as long as it takes.
        if (!takesUp || stopping.aborted) throw error;
        say(`the site goes on, not all of it was started: ${messageOf(error)}`);
      });
      const same = serving.hash === text.hash && !isKept;
      return await announcement({
        site,
        file: options.site,
        serving,
        same,
        apiUrl: apiOf(paths)?.url ?? '',
      });
    },
    async end(plans, started) {
      say('\nStopping ...');
      await stopAll(site, paths, plans);
      servers?.stop();
      // A site that never ran must not be what the next `up` takes for good.
      if (!started) for (const path of unproven) rmSync(path, { recursive: true, force: true });
      say('Stopped. Nothing is left running.');
    },
  });
}

interface ToServe {
  readonly site: Site;
  readonly text: SiteText;
  readonly warnings: readonly string[];
  /** The file is no site; this is what ran before. */
  readonly isKept: boolean;
}

/** A site that was proven good serves, whatever became of its file since: a reboot must not end it. @throws the error otherwise */
function instead(path: string, error: unknown): ToServe {
  const text = error instanceof Failure ? keptBeside(path) : null;
  const site = text && parseSite(text).site;
  if (!(error instanceof Failure) || !text || !site) throw error;
  const why = error.diagnostics.length > 0 ? `${path} is not a site` : error.message;
  return {
    site,
    text,
    warnings: [
      ...error.diagnostics.map(formatDiagnostic),
      `${error.code} ${why}: what was proven good before is served, and no word of this file.`,
      `  Mend it, then: npx holdfast check ${path}`,
    ],
    isKept: true,
  };
}

async function readSite(path: string): Promise<ToServe> {
  const { read, site, diagnostics } = await readLocally(path);
  if (!site) {
    const errors = diagnostics.filter((d) => d.severity === 'error');
    throw new Failure(
      errors[0]?.code ?? 'HF011',
      `${path} is not a site, nothing was started`,
      '',
      diagnostics,
    );
  }
  return {
    site,
    text: {
      ...read,
      folder: resolve(read.folder),
      hash: siteHash(site, await readCertificates(site, readCertificateFile)),
    },
    warnings: diagnostics.map(formatDiagnostic),
    isKept: false,
  };
}

/** @throws Failure HF301 at the balancer whose engine is not here. */
async function requireEngines(site: Site): Promise<void> {
  for (const { name, engine, place } of site.balancers) {
    try {
      await chooseEngine(engine);
    } catch (error) {
      throw at(place, `balancer "${name}"`, error);
    }
  }
}
