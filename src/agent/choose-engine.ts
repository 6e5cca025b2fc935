import { Failure } from '#base';
import { type Engine, type EngineBinary, engines } from '#engines';
import { type EngineName, engineNames } from '#model';

/** `auto` takes the first engine that is here, in the order of `engineNames`. @throws Failure HF301 with the line that installs it. */
export async function chooseEngine(
  wanted: EngineName | 'auto',
): Promise<{ engine: Engine; binary: EngineBinary }> {
  for (const name of wanted === 'auto' ? engineNames : [wanted]) {
    const engine = engines[name];
    const binary = await engine.find();
    if (binary) return { engine, binary };
  }
  const missing = wanted === 'auto' ? 'no engine' : wanted;
  const install = wanted === 'auto' ? '' : engines[wanted].install;
  throw new Failure('HF301', `${missing} is not installed`, install === '' ? '' : `Install it: ${install}`);
}
