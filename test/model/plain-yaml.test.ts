/** Plain YAML is read by a reader of our own: wherever it reads something, the library reads the same, at the same places. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { chanceOf } from '../../proofs/plan/chance.ts';
import { plainSource, readPlain } from '../../src/model/plain-yaml.ts';
import { SharedItems } from '../../src/model/shared-items.ts';
import { type Path, readGeneral, type SourceText } from '../../src/model/yaml.ts';

const root = resolve(import.meta.dirname, '../..');
const files = globSync(['examples/**/*.yaml', 'test/golden/*/site.yaml'], { cwd: root }).sort();
const texts = files.map((file) => readFileSync(resolve(root, file), 'utf8'));
const bySize = [
  'a: 1\nb:\n  - c\n  - { d: "e", f: [g, 1.5s, 0x] }\n',
  "a:\n- b: c # d\n  e: 'f'\n-   g\nh: {}\n",
  'a: b c\nd: [x, [y]]\ne: true\nf: 007\n',
];

/** Of every part. */
function pathsOf(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const inside = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [path, ...inside.flatMap(([key, one]) => pathsOf(one, [...path, key])), [...path, 'not there', 3]];
}

function sameAs(text: string, plain: SourceText, called: string): void {
  const { source, diagnostics } = readGeneral(text, 'f');
  assert.deepEqual([diagnostics, source === null], [[], false], `${called}\n${text}`);
  assert.deepEqual(JSON.stringify(plain.value), JSON.stringify(source?.value), `${called}\n${text}`);
  for (const path of pathsOf(plain.value))
    assert.deepEqual(
      [plain.placeOf(path), plain.keyPlaceOf(path)],
      [source?.placeOf(path), source?.keyPlaceOf(path)],
      `${called} ${JSON.stringify(path)}\n${text}`,
    );
}

function plainly(text: string, items: SharedItems | null = null): SourceText | null {
  const plain = readPlain(text, items);
  return plain && plainSource(plain, text, 'f');
}

test('most of our own site files are plain, and read as the library reads them', () => {
  const read = texts.map((text) => plainly(text));
  for (const [index, plain] of read.entries())
    if (plain) sameAs(texts[index] ?? '', plain, files[index] ?? '');
  const count = read.filter((one) => one !== null).length;
  assert.ok(count > texts.length / 2, `only ${count} of ${texts.length} are plain`);
});

const seeds = 1_500;
const signs = [
  ...'- :#,[]{}\'"&*!|>%@`~?\\\n',
  '  ',
  ': ',
  ' #',
  '- ',
  '\n  ',
  '\n- ',
  'null',
  '1.5',
  '+1',
  '---\n',
  'é',
];

test(`${seeds} texts with something odd in them are read alike, or not as plain ones`, () => {
  const short = [...bySize, ...texts.filter(({ length }) => length < 1_500)];
  let plain = 0;
  for (let seed = 1; seed <= seeds; seed += 1) {
    const chance = chanceOf(seed);
    let text = chance.pick(short);
    for (let edits = 1 + chance.below(2); edits > 0; edits -= 1) {
      const at = chance.below(text.length);
      const gone = chance.pick([0, 0, 1, 3]);
      text = `${text.slice(0, at)}${chance.pick(signs)}${text.slice(at + gone)}`;
    }
    const read = plainly(text);
    if (!read) continue;
    plain += 1;
    sameAs(text, read, `seed ${seed}`);
  }
  assert.ok(plain > seeds / 20, `only ${plain} were plain`);
});

const lists = [
  'a:\n  - b: c\n    d: [1, { e: f }]\n  # g\n\n  - h\n  - { i: j, k: [l] } # m\n  - b: n\nz: 1\n',
  'a:\n- b:\n  - c\n  - d\n- b:\n  - c\n  - d\n- e\nf:\n- b:\n  - c\n  - d\n- e\n',
];

test(`${seeds} texts that share their items are read as each of them alone`, () => {
  const short = [...lists, ...bySize, ...texts.filter(({ length }) => length < 1_500)];
  let shared = 0;
  class Counted extends SharedItems {
    override of(indent: number, source: string) {
      const found = super.of(indent, source);
      if (found) shared += 1;
      return found;
    }
  }
  const items = new Counted();
  for (let seed = 1; seed <= seeds; seed += 1) {
    const chance = chanceOf(seed);
    let text = chance.pick(short);
    for (let edits = chance.below(3); edits > 0; edits -= 1) {
      const at = chance.below(text.length);
      const gone = chance.pick([0, 0, 1, 3]);
      text = `${text.slice(0, at)}${chance.pick(signs)}${text.slice(at + gone)}`;
    }
    const [read, alone] = [plainly(text, items), plainly(text)];
    assert.equal(read === null, alone === null, text);
    assert.equal(readPlain(text, items)?.nodes, readPlain(text)?.nodes, text);
    if (read) sameAs(text, read, `seed ${seed}`);
  }
  assert.ok(shared > seeds, `only ${shared} items had been read before`);
});
