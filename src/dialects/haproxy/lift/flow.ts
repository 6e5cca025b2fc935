import { meaning } from '#routing';
import type { Line } from '../own/sections.ts';
import type { Word } from '../own/words.ts';
import { conditionOf } from './acl.ts';
import { no, type Scene } from './scene.ts';
import type { Told } from './told.ts';

type Condition = meaning.Condition;
type Fate = meaning.Fate;

/** The rules of one proxy while they are read: steps in the order in which the engine asks them. */
export class Flow {
  readonly scene: Scene;
  readonly told: Told;
  readonly steps: meaning.Step[] = [];
  /** Where an `allow` or `accept` has ended the list of rules that is read now. */
  #passed: Condition = no;

  constructor(scene: Scene, told: Told) {
    this.scene = scene;
    this.told = told;
  }

  /** What is asked behind this counts for those again whom the list before had let pass. */
  nextList(): void {
    this.#passed = no;
  }

  /** When a rule of the list takes effect: its own condition, and nothing before has ended the list. */
  when(words: readonly Word[], line: Line): Condition {
    return meaning.all([conditionOf(words, line, this.scene), meaning.not(this.#passed)]);
  }

  pass(when: Condition): void {
    this.#passed = meaning.some([this.#passed, when]);
  }

  decide(when: Condition, then: Fate, line: Line): void {
    this.#push(when, then, line);
  }

  /** A rule whose effect is in what follows. */
  change(when: Condition, line: Line): void {
    this.#push(when, { kind: 'continue' }, line);
    const { notes, request } = this.scene;
    request.forgetTooComplex(() =>
      notes.unknown(line, 'complex', notes.textOf(line), 'too complex, treated as not understood'),
    );
  }

  #push(when: Condition, then: meaning.Step['then'], line: Line): void {
    if (when.kind === 'never') return;
    const { notes } = this.scene;
    this.steps.push({ when, then, place: notes.place(line), text: notes.textOf(line) });
  }

  /** What a rule does, nobody can say. */
  unknownFate(line: Line, why: meaning.Unknown['why'], text: string, reason = ''): Fate {
    return { kind: 'unknown', ...this.scene.notes.unknown(line, why, text, reason) };
  }
}
