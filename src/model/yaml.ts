import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type YAMLMap,
} from 'yaml';
import type { Diagnostic, Place } from '#base';
import { findExcess } from './excess.ts';
import {
  diagnosticsMax,
  siteFileAliasesMax,
  siteFileBytesMax,
  siteFileDepthMax,
  siteFileNodesMax,
  siteTextBytesMax,
} from './limits.ts';
import { plainSource, readPlain } from './plain-yaml.ts';
import type { SharedItems } from './shared-items.ts';

export type Path = readonly (string | number)[];

/** A YAML text as plain data that still knows where each part was written. */
export interface SourceText {
  readonly value: unknown;
  /** Of the node at `path`, or of the nearest one above it that exists. */
  placeOf(path: Path): Place;
  /** Of the key itself, for `path` that ends with one. */
  keyPlaceOf(path: Path): Place;
}

interface ReadText {
  readonly source: SourceText | null;
  readonly diagnostics: readonly Diagnostic[];
}

const tooMuch = (place: Place, message: string): ReadText => ({
  source: null,
  diagnostics: [mistake('HF002', place, '', message)],
});

/**
 * Null, with the reason, when the text is no YAML or too much of it. Never throws.
 * @param items of texts that it is compared with.
 */
export function readYaml(text: string, file: string, items: SharedItems | null = null): ReadText {
  const start = { file, line: 1, column: 1 };
  const bytes = text.length > siteTextBytesMax ? text.length : Buffer.byteLength(text);
  if (bytes > siteTextBytesMax) return tooMuch(start, `expected at most ${siteTextBytesMax} bytes, got more`);
  const plain = readPlain(text, items);
  if (plain !== null) {
    if (plain.nodes > siteFileNodesMax)
      return tooMuch(start, `expected at most ${siteFileNodesMax} values, got more`);
    return { source: plainSource(plain, text, file), diagnostics: [] };
  }
  if (bytes > siteFileBytesMax)
    return tooMuch(
      start,
      `expected at most ${siteFileBytesMax} bytes, or ${siteTextBytesMax} of plain YAML, got more`,
    );
  return readGeneral(text, file);
}

/** By the library, whatever YAML it is. */
export function readGeneral(text: string, file: string): ReadText {
  const lines = new LineCounter();
  const at = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  const start = { file, line: 1, column: 1 };
  const excess = findExcess(text);
  if (excess) return tooMuch(placeIn(text, excess.offset, file), excess.message);

  const doc = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    resolveKnownTags: false,
    schema: 'core',
    stringKeys: true,
    // The library compares every key with every other; `plain` looks for them in a set.
    uniqueKeys: false,
  });
  const broken = [...doc.errors, ...doc.warnings].slice(0, diagnosticsMax);
  if (broken.length > 0) {
    return { source: null, diagnostics: broken.map((e) => notYaml(at(e.pos[0]), e.message)) };
  }
  const reader = treeReader(doc, at);
  const cost = reader.measure(doc.contents);
  if (cost.depth > siteFileDepthMax) {
    return tooMuch(start, `expected at most ${siteFileDepthMax} levels, got more`);
  }
  if (cost.nodes === Number.POSITIVE_INFINITY) {
    return tooMuch(start, 'expected values that end, got an alias inside the very value it repeats');
  }
  if (cost.nodes > siteFileNodesMax) {
    return tooMuch(start, `expected at most ${siteFileNodesMax} values with aliases in place, got more`);
  }
  const diagnostics: Diagnostic[] = [];
  const value = reader.plain(doc.contents, diagnostics);
  return { source: { value, placeOf: reader.placeOf, keyPlaceOf: reader.keyPlaceOf }, diagnostics };
}

export function mistake(code: string, place: Place, path: string, message: string, remedy = ''): Diagnostic {
  return {
    code,
    severity: 'error',
    place,
    path: onOneLine(path),
    message: onOneLine(message),
    remedy: onOneLine(remedy),
  };
}

/** A file's own words go to a terminal: line breaks, escapes and marks that turn the direction are spelled out. */
function onOneLine(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (mark) => `\\u{${(mark.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

function notYaml(place: Place, message: string): Diagnostic {
  const [line = ''] = message.split('\n');
  const clean = line.replace(/[\s.:]+$/, '').slice(0, 200);
  if (/multiple documents/i.test(clean)) {
    const one = 'expected one document, got several';
    return mistake('HF001', place, '', one, 'Remove what follows the second ---');
  }
  return mistake('HF001', place, '', `expected YAML: ${clean}`);
}

function placeIn(text: string, offset: number, file: string): Place {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  return { file, line, column: offset - before.lastIndexOf('\n') };
}

interface Cost {
  readonly nodes: number;
  readonly depth: number;
}

const endless: Cost = { nodes: Number.POSITIVE_INFINITY, depth: 0 };

function treeReader(doc: Document, at: (offset: number) => Place) {
  const anchors = anchorsOf(doc);
  const start = at(0);
  const target = (node: unknown): unknown => (isAlias(node) ? anchors.get(node) : node);
  const startOf = (node: unknown): Place | null => {
    const range = (node as Node | null | undefined)?.range;
    return range ? at(range[0]) : null;
  };

  const costs = new Map<unknown, Cost>();
  function measure(raw: unknown): Cost {
    const node = target(raw);
    const known = costs.get(node);
    if (known) return known;
    if (!isMap(node) && !isSeq(node)) return { nodes: 1, depth: 0 };
    // An anchor that holds an alias to itself meets this value again.
    costs.set(node, endless);
    const below = node.items.map((item) => measure(isMap(node) ? (item as Pair).value : item));
    const cost = {
      nodes: below.reduce((sum, one) => sum + one.nodes, 1),
      depth: below.reduce((most, one) => Math.max(most, one.depth), 0) + 1,
    };
    costs.set(node, cost);
    return cost;
  }

  function plain(raw: unknown, diagnostics: Diagnostic[], path = ''): unknown {
    if (isAlias(raw) && !anchors.has(raw)) {
      diagnostics.push(noAnchor(startOf(raw) ?? start, path, raw.source));
      return undefined;
    }
    const node = target(raw);
    if (isScalar(node)) return node.value;
    if (isSeq(node)) return node.items.map((item, i) => plain(item, diagnostics, `${path}[${i}]`));
    if (isMap(node)) return plainMap(node, diagnostics, path);
    return null;
  }

  function plainMap(map: YAMLMap, diagnostics: Diagnostic[], path: string): Record<string, unknown> {
    const out: Record<string, unknown> = Object.create(null);
    for (const pair of map.items) {
      const key = keyOf(pair);
      const keyPath = path ? `${path}.${key}` : key;
      const place = startOf(pair.key) ?? start;
      if (Object.hasOwn(out, key)) {
        diagnostics.push(
          mistake(
            'HF015',
            place,
            shortPath(keyPath),
            `expected each key once, got ${JSON.stringify(shortPath(key))} again`,
            'Remove one',
          ),
        );
      } else out[key] = plain(pair.value, diagnostics, keyPath);
    }
    return out;
  }

  function find(path: Path): { node: unknown; pair: Pair | null; place: Place } {
    let node = target(doc.contents);
    let pair: Pair | null = null;
    let place = startOf(node) ?? start;
    for (const step of path) {
      pair = null;
      if (isMap(node)) pair = node.items.find((item) => keyOf(item) === step) ?? null;
      const raw = isSeq(node) && typeof step === 'number' ? node.items[step] : pair?.value;
      if (raw === undefined || (raw === null && pair === null)) break;
      place = startOf(raw) ?? startOf(pair?.key) ?? place;
      node = target(raw);
    }
    return { node, pair, place };
  }

  return {
    measure,
    plain: (raw: unknown, diagnostics: Diagnostic[]) => plain(raw, diagnostics),
    placeOf: (path: Path): Place => find(path).place,
    keyPlaceOf: (path: Path): Place => {
      const { pair, place } = find(path);
      return startOf(pair?.key) ?? place;
    },
  };
}

function keyOf(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : String(pair.key ?? '');
}

/** An alias means the nearest anchor of its name that was written before it. One walk, in the order of the text. */
function anchorsOf(doc: Document): Map<unknown, unknown> {
  const byName = new Map<string, unknown>();
  const targets = new Map<unknown, unknown>();
  const walk = (node: unknown): void => {
    if (isAlias(node)) {
      const found = byName.get(node.source);
      if (found !== undefined && targets.size < siteFileAliasesMax) targets.set(node, found);
      return;
    }
    if (isScalar(node) || isMap(node) || isSeq(node)) if (node.anchor) byName.set(node.anchor, node);
    if (isSeq(node)) for (const item of node.items) walk(item);
    if (isMap(node)) {
      for (const pair of node.items) {
        walk(pair.key);
        walk(pair.value);
      }
    }
  };
  walk(doc.contents);
  return targets;
}

function noAnchor(place: Place, path: string, source: string): Diagnostic {
  const remedy = `Text that begins with * needs quotes: "*${source.slice(0, 60)}"`;
  return mistake(
    'HF001',
    place,
    shortPath(path),
    `*${source.slice(0, 60)} is an alias of an anchor that does not exist`,
    remedy,
  );
}

export function shortPath(path: string): string {
  return path.length > 200 ? `${path.slice(0, 200)}...` : path;
}
