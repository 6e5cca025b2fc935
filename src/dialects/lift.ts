import { createRequire } from 'node:module';
import { type OwnDialectName, SharedItems, type WrittenText } from '#model';
import type { meaning } from '#routing';
import type * as HaproxyLift from './haproxy/lift/index.ts';
import type * as HaproxySource from './haproxy/lift/source.ts';
import type * as HaproxyStage from './haproxy/stage.ts';
import type * as NginxLift from './nginx/lift/lift.ts';
import type * as NginxShared from './nginx/lift/shared.ts';
import type { TextFiles } from './nginx/lift/tree.ts';
import type * as NginxStage from './nginx/stage.ts';
import type { StagedText, StagePlan } from './stage.ts';

/** Each is loaded when there is a text in its language. */
const load = createRequire(import.meta.url);

export const liftHaproxy: typeof HaproxyLift.lift = (...given) =>
  (load('./haproxy/lift/index.ts') as typeof HaproxyLift).lift(...given);

export const liftNginx: typeof NginxLift.liftNginx = (...given) =>
  (load('./nginx/lift/lift.ts') as typeof NginxLift).liftNginx(...given);

const stageHaproxy: typeof HaproxyStage.stageHaproxy = (...given) =>
  (load('./haproxy/stage.ts') as typeof HaproxyStage).stageHaproxy(...given);

const stageNginx: typeof NginxStage.stageNginx = (...given) =>
  (load('./nginx/stage.ts') as typeof NginxStage).stageNginx(...given);

/** What a text may ask of the machine that it lies on. */
export interface LiftFiles extends TextFiles {
  /** A variable of the engine's environment; null when it is not set, or not known. */
  environment(name: string): string | null;
}

/** What texts that are lifted to be compared may have in common: parts that are written alike are one and the same. */
export class Shared {
  /** Of a site.yaml. */
  readonly items = new SharedItems();
  #haproxy: HaproxySource.SharedParts | null = null;

  #nginx: NginxShared.SharedServers | null = null;

  get nginx(): NginxShared.SharedServers {
    this.#nginx ??= new (load('./nginx/lift/shared.ts') as typeof NginxShared).SharedServers();
    return this.#nginx;
  }

  get haproxy(): HaproxySource.SharedParts {
    this.#haproxy ??= new (load('./haproxy/lift/source.ts') as typeof HaproxySource).SharedParts();
    return this.#haproxy;
  }
}

/** What a team's own text does to every request. Never throws, whatever the text: what is not understood is said at its line. */
export function liftOwn(
  { file, folder, text }: Pick<WrittenText, 'file' | 'folder' | 'text'>,
  dialect: OwnDialectName,
  files: LiftFiles,
  shared = new Shared(),
): meaning.Meaning {
  switch (dialect) {
    case 'haproxy': {
      const { read, environment } = files;
      return liftHaproxy({ file, text, read, environment, shared: shared.haproxy });
    }
    case 'nginx':
      return liftNginx({ file, folder, text }, files, shared.nginx);
  }
}

/** The same text where nobody outside sees or hears it. */
export function stageOwn(
  { file, folder, text }: Pick<WrittenText, 'file' | 'folder' | 'text'>,
  dialect: OwnDialectName,
  files: LiftFiles,
  plan: StagePlan,
): StagedText {
  switch (dialect) {
    case 'haproxy':
      return stageHaproxy({ file, text, read: files.read, environment: files.environment }, plan);
    case 'nginx':
      return stageNginx({ file, folder, text }, files, plan);
  }
}
