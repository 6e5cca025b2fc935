import { ownDialects } from '#dialects';
import type { Onlook, OnlookParts } from '../foreign.ts';
import { openControl } from './control.ts';

/** The statistics socket of the text is asked, and only questions go over it. */
export function onlook({ pid, site }: OnlookParts): Onlook {
  const { own } = site;
  const control = own && ownDialects.haproxy.files(own).find(({ use }) => use === 'control')?.path;
  if (!control)
    return {
      seen: null,
      unseen: ['requests and their errors: the text has no statistics socket'],
      remedy: '`stats socket /run/haproxy/stats.sock mode 600 level user` in its `global` section gives one.',
      counters: null,
    };
  return {
    seen: `requests, errors, retries and times by pool and server, by ${control}`,
    unseen: [],
    remedy: 'Run the command as root, or as who may open it.',
    counters: openControl({ pid, control }),
  };
}
