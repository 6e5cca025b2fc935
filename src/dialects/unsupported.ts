import type { Diagnostic } from '#base';
import { autoEngineNames, type Balancer, type EngineName, engineNames, type Site } from '#model';
import type { Dialect } from './dialect.ts';
import { type FeatureName, featureNames, featureOf } from './features.ts';
import { dialects } from './registry.ts';

type Table = Readonly<Record<EngineName, Pick<Dialect, 'cannot'>>>;

/**
 * What the site asks of engines that cannot do it, at the lines that ask. An engine that a balancer names is held to
 * it; `auto` takes what is installed, so there it is an error only when no engine can, and else a warning.
 */
export function unsupportedUses(site: Site, table: Table = dialects): Diagnostic[] {
  const lacking = new Map<string, Diagnostic>();
  for (const balancer of site.balancers)
    for (const diagnostic of ofBalancer(site, balancer, table)) {
      const { place, path, message } = diagnostic;
      lacking.set(`${place?.line}:${place?.column} ${path} ${message}`, diagnostic);
    }
  return [...lacking.values()];
}

function ofBalancer(site: Site, balancer: Balancer, table: Table): Diagnostic[] {
  if (balancer.engine !== 'auto') return unsupportedBy(site, balancer.engine, table);
  return featureNames.flatMap((feature) => {
    const unable = autoEngineNames.filter((engine) => feature in table[engine].cannot);
    if (unable.length === 0) return [];
    const nobody = unable.length === autoEngineNames.length;
    return unable
      .slice(0, nobody ? 1 : unable.length)
      .flatMap((engine) => usesOf(site, engine, feature, table))
      .map((found) => ({ ...found, severity: nobody ? ('error' as const) : ('warning' as const) }));
  });
}

/** What the site asks of this engine that it cannot do; every one an error. */
export function unsupportedBy(site: Site, engine: EngineName, table: Table = dialects): Diagnostic[] {
  return featureNames.flatMap((feature) => usesOf(site, engine, feature, table));
}

function usesOf(site: Site, engine: EngineName, name: FeatureName, table: Table): Diagnostic[] {
  const reason = table[engine].cannot[name];
  // The survey of an own text asks for nothing: its engine reads the text itself.
  if (reason === undefined || site.own) return [];
  const feature = featureOf(name);
  const able = engineNames.filter((other) => !(name in table[other].cannot));
  return feature.uses(site).map((place) => ({
    code: 'HF021',
    severity: 'error',
    place,
    path: feature.written,
    message: `the engine ${engine} cannot do this: ${reason}`,
    remedy: able.length > 0 ? `Take it out, or use engine: ${able.join(' or ')}` : 'Take it out',
  }));
}
