import { said } from './scope.ts';
import type { State } from './state.ts';
import { variablesOf } from './template.ts';
import { type Asking, variable } from './variables.ts';

/**
 * NGINX works out `$remote_addr` and what `map` and `geo` make but once for a request, and keeps it, whatever becomes of the URI
 * (variables without NGX_HTTP_VAR_NOCACHEABLE). The state once these words were worked out.
 * @param isSure false: they are not always come to.
 */
export function keeping(words: readonly string[], asking: Asking, isSure = true): State {
  const { state, lifting, where } = asking;
  const { sources } = lifting;
  const kept = new Map(state.kept);
  const seen = new Set<string>();
  const look = (word: string, sure: boolean): void => {
    for (const name of variablesOf(word)) {
      if (seen.has(`${name} ${sure}`) || state.variables.has(name)) continue;
      seen.add(`${name} ${sure}`);
      const known = kept.get(name);
      if (known?.isSure) continue;
      if (sources.keeps(name)) kept.set(name, { value: variable(name, asking), isSure: sure });
      const { always, perhaps } = ofFiles.has(name)
        ? { always: said(where.scope, 'root', 'alias').flatMap((node) => node.words), perhaps: [] }
        : sources.asks(name);
      for (const one of always) look(one, sure);
      for (const one of perhaps) look(one, false);
    }
  };
  for (const word of words) look(word, isSure);
  const isMore = kept.size > state.kept.size || [...kept].some(([name, one]) => one !== state.kept.get(name));
  return isMore ? { ...state, kept } : state;
}

const ofFiles: ReadonlySet<string> = new Set(['request_filename', 'document_root', 'realpath_root']);
