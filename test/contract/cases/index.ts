import type { ContractCase } from '../case.ts';
import { serverAnswers } from './answers.ts';
import { clientCertificates } from './client-certificates.ts';
import { connections } from './connections.ts';
import { framing } from './framing.ts';
import { forwarded, headers } from './headers.ts';
import { http2 } from './http2.ts';
import { mirrors } from './mirrors.ts';
import { siteWords } from './site.ts';
import { streams } from './streams.ts';
import { targets } from './targets.ts';

/** By area, in the order of the published table. */
export const areas = {
  'Where a request ends': framing,
  'Fields of a request': headers,
  'Targets of a request': targets,
  'What servers answer': serverAnswers,
  'Connections and upgrades': connections,
  'What the server is told of the client': forwarded,
  'HTTP/2 to clients': http2,
  'Words of the site file': siteWords,
  'Copies of requests': mirrors,
  'Certificates of clients': clientCertificates,
  'TCP listeners': streams,
} as const satisfies Readonly<Record<string, readonly ContractCase[]>>;

export const cases: readonly ContractCase[] = Object.values(areas).flat();
