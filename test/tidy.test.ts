import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { catalogue } from '#base';
import { generated } from '../scripts/docs.ts';
import { layers } from './tidy/layers.ts';
import { importsOf, layerBreaches, wordBreaches, worldBreaches } from './tidy/rules.ts';
import { repositoryTexts, root } from './tidy/sources.ts';

const sources = repositoryTexts();
const code = sources.filter(({ path }) => path.startsWith('src/') && path.endsWith('.ts'));
const linesMax = 500;

const none = (breaches: readonly string[]) => assert.equal(breaches.join('\n'), '');

describe('layers', () => {
  test('every import between folders of src goes through #folder, and only where the table allows', () => {
    const imports = code.flatMap(importsOf);
    const between = imports.filter(({ target }) => target.startsWith('#'));
    assert.ok(code.length >= 30, `looked at only ${code.length} files of src`);
    assert.ok(between.length >= 10, `saw only ${between.length} imports between folders`);
    none(layerBreaches(imports, layers));
  });

  test('the pattern sees every import statement', () => {
    for (const source of code) {
      const statements = source.text.match(/^(?:import|export)\b[^;='"()]*?\bfrom '|^import '/gm) ?? [];
      assert.ok(importsOf(source).length >= statements.length, `${source.path}: an import was overlooked`);
    }
  });

  test('a folder of src is in the table, and a door of package.json leads to a layer', () => {
    const known = layers.map(({ folder }) => folder);
    const folders = [...new Set(code.map(({ path }) => path.split('/')[1]))];
    none(
      folders.filter((f) => !known.includes(f ?? '')).map((f) => `src/${f}: add it to test/tidy/layers.ts`),
    );
    const { imports } = packageJson();
    for (const [door, path] of Object.entries(imports)) {
      assert.ok(known.includes(door.slice(1)), `package.json imports: ${door} is no layer`);
      assert.equal(path, `./src/${door.slice(1)}/index.ts`);
    }
  });

  test('the table has no circle: a layer names only what stands somewhere below it', () => {
    const below = (folder: string): string[] => {
      const direct = layers.find((l) => l.folder === folder)?.mayImport ?? [];
      return [...direct, ...direct.flatMap(below)];
    };
    none(layers.filter(({ folder }) => below(folder).includes(folder)).map(({ folder }) => folder));
  });

  for (const [path, target, expected] of [
    ['src/incidents/x.ts', '#change', /incidents may import .* because capabilities meet in events/],
    ['src/routing/x.ts', '#engines', /routing may import base, because/],
    ['src/agent/guard/x.ts', '../../change/x.ts', /through its door only. Import #change/],
    ['src/engines/haproxy/x.ts', '../builtin/x.ts', /are alternatives of each other/],
    ['src/nowhere/x.ts', '#base', /not in test\/tidy\/layers.ts/],
    ['src/base/x.ts', '#base', /inside its own folder/],
  ] as const) {
    test(`${path} must not import ${target}`, () => {
      const imports = importsOf({ path, text: `import { a } from '${target}';\n` });
      const [breach = 'no breach was seen'] = layerBreaches(imports, layers);
      assert.match(breach, expected);
      assert.equal(layerBreaches(imports, layers).length, 1);
    });
  }
});

describe('what is simulated', () => {
  test('takes time, chance, files and processes as parameters only', () => {
    const simulated = code.filter(({ path }) => /^src\/(change|incidents)\//.test(path));
    assert.ok(simulated.length >= 20, `looked at only ${simulated.length} files`);
    none(worldBreaches(simulated));
  });

  test('the rule sees what it is meant to see', () => {
    const planted = [
      "import { readFileSync } from 'node:fs';",
      'const at = Date.now();',
      'setTimeout(act, 5);',
      'const chance = Math.random();',
      'process.kill(7);',
      'const at = performance.now();',
    ];
    assert.equal(worldBreaches(planted.map((text) => ({ path: 'x.ts', text }))).length, planted.length);
  });
});

describe('texts', () => {
  test('no long dash, no path of one machine, no silenced type', () => {
    assert.ok(sources.length >= 50, `looked at only ${sources.length} files`);
    none(wordBreaches(sources));
  });

  test('the rule about words sees what it is meant to see', () => {
    const planted = ['a \u2014 b', 'see /wo\u0072k/notes', 'x as an\u0079', '// @ts-ig\u006eore'];
    const breaches = wordBreaches(planted.map((text, index) => ({ path: `${index}.md`, text })));
    assert.equal(breaches.length, planted.length);
    none(wordBreaches([{ path: 'ok.md', text: 'framework/x, ./work/x, /var/lib/holdfast' }]));
  });

  test(`a file has at most ${linesMax} lines`, () => {
    const long = sources
      .filter(({ path }) => /^(?:src|test|proofs|bench|scripts|examples)\/.*\.ts$/.test(path))
      .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
      .filter(({ lines }) => lines > linesMax);
    none(long.map(({ path, lines }) => `${path} has ${lines} lines. Cut it where it does two things`));
  });
});

describe('docs', () => {
  test('what is generated is up to date', () => {
    for (const [path, text] of Object.entries(generated())) {
      const now = sources.find((source) => source.path === path)?.text;
      assert.equal(now, text, `${path} is not what the code makes. Run: npm run docs`);
    }
  });

  test('every dependency has its line in docs/dependencies.md, and no other has one', () => {
    const { dependencies, devDependencies } = packageJson();
    const names = Object.keys({ ...dependencies, ...devDependencies }).sort();
    const page = readFileSync(join(root, 'docs/dependencies.md'), 'utf8');
    const rows = [...page.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name]) => name).sort();
    assert.deepEqual(rows, names, 'One line each: what for, why this one');
  });

  test('a code that the product uses stands in the catalogue', () => {
    const used = code
      .filter(({ path }) => path !== 'src/base/catalogue.ts')
      .flatMap(({ path, text }) =>
        [...text.matchAll(/['"](HF\d{3})['"]/g)].map(([, c = '']) => [path, c] as const),
      );
    none(
      used
        .filter(([, c]) => !Object.hasOwn(catalogue, c))
        .map(([path, c]) => `${path}: ${c} is not in src/base/catalogue.ts. Add it, with how to solve it`),
    );
  });
});

interface PackageJson {
  readonly imports: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

function packageJson(): PackageJson {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as PackageJson;
}
