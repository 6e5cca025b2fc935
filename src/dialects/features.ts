import type { Feature } from './features/feature.ts';
import { listenerFeatures } from './features/listeners.ts';
import { poolFeatures } from './features/pools.ts';
import { routeFeatures } from './features/routes.ts';

/**
 * The vocabulary of a site, word by word: what an engine cannot do stands in its dialect's `cannot` under the same
 * name, is refused where the site says it (HF021), and is listed in docs/vocabulary.md.
 */
export const features = { ...listenerFeatures, ...routeFeatures, ...poolFeatures } as const;

export type FeatureName = keyof typeof features;

/** One sentence each, for people: why the engine cannot. No full stop. */
export type Cannot = Readonly<Partial<Record<FeatureName, string>>>;

export function featureOf(name: FeatureName): Feature {
  return features[name];
}

export const featureNames = Object.keys(features) as readonly FeatureName[];
