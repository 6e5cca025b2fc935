import type { Place } from '#base';
import type { Site } from '#model';

/** A word of the site's vocabulary that an engine may lack. */
export interface Feature {
  /** How it stands in site.yaml: `routes[].filters: RequestMirror`. */
  readonly written: string;
  /** What it means to a request, one sentence, no full stop. */
  readonly meaning: string;
  /** Where the site says it; empty when it does not. */
  uses(site: Site): readonly Place[];
}

export type Features = Readonly<Record<string, Feature>>;
