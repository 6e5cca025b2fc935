import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assert, type Diagnostic } from '#base';
import { chooseEngine, type Installed, identityOf } from '#engines';
import type { Site } from '#model';
import { type GenerationFolder, prepareFolder } from './folders.ts';
import { engineFindings, inOwnWords, servingLines } from './own-words.ts';

/** What an engine says of a site's text, before it is started with it. */
export interface EngineWords {
  readonly engine: string;
  readonly version: string;
  readonly accepted: boolean;
  /** Its own words, about the team's own text where that is what was checked. */
  readonly output: string;
  readonly tookMs: number;
  /** Mistakes that the engine found in a team's own text. */
  readonly diagnostics: readonly Diagnostic[];
  /** Lines of an own text that a generation has otherwise. */
  readonly rewritten: readonly string[];
}

/** As a user without rights, in a folder of its own that every path that it would write to lies in. */
export async function askEngine(
  { engine, binary }: Installed,
  site: Site,
  prepared: GenerationFolder,
): Promise<EngineWords> {
  const identity = identityOf(engine, site);
  const said = await engine.check(binary, prepared.textFile, prepared.folder, identity);
  const { own } = site;
  const output = own ? inOwnWords(said.output, prepared, own) : said.output;
  return {
    engine: engine.name,
    version: binary.version,
    accepted: said.accepted,
    output,
    tookMs: said.tookMs,
    diagnostics: own && !said.accepted ? engineFindings(output, own) : [],
    rewritten: servingLines(site, prepared),
  };
}

/** The engine's own verdict of a team's own text, without an agent. @throws Failure HF301 when the engine is not here. */
export async function checkOwnText(site: Site): Promise<EngineWords> {
  const [balancer] = site.balancers;
  assert(balancer && site.own, 'an own text has one balancer');
  const by = await chooseEngine(balancer.engine);
  const place = mkdtempSync(join(tmpdir(), 'holdfast-check-'));
  try {
    // The engine's user passes through to the folder in it, which is its own.
    chmodSync(place, 0o711);
    const folder = join(place, 'text');
    const identity = identityOf(by.engine, site);
    const common = { site, balancer, engine: by.engine, identity, folder, generation: 0, threads: 1 };
    const prepared = prepareFolder({ ...common, ticketKeys: null, purpose: 'rehearse', servers: null });
    return await askEngine(by, site, prepared);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}
