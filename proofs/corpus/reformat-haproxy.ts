/** `haproxy.cfg` written otherwise. Reads words by its own rules, so that it does not share a mistake with the lift. */
import type { Form } from './reformat.ts';

const sections =
  /^\s*(global|defaults|frontend|backend|listen|peers|resolvers|userlist|mailers|cache|ring|program|http-errors|log-forward|fcgi-app|crt-store)(?:\s|$)/;

/** Words as they are written, quotes and escapes and all; null: a comment, nothing, or a line that is continued. */
function wordsOf(line: string): readonly string[] | null {
  const words = line.match(/(?:[^\s#"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+|#.*$/g) ?? [];
  const at = words.findIndex((word) => word.startsWith('#'));
  const told = at < 0 ? words : words.slice(0, at);
  const isWhole =
    told.join('').length ===
      (at < 0 ? line : line.slice(0, line.indexOf(words[at] ?? ''))).replaceAll(/\s/g, '').length ||
    /["'\\]/.test(line);
  return told.length === 0 || !isWhole || /\\$/.test(line) ? null : told;
}

const byLine =
  (change: (words: readonly string[], line: string, index: number) => string): Form =>
  (text) => {
    const lines = text.split('\n');
    // A line that goes on in the next one is left as it is, and so is a quote that is not closed.
    return lines
      .map((line, index) => {
        const words = wordsOf(line);
        if (words === null || lines[index - 1]?.endsWith('\\') || unbalanced(line) || /\r/.test(line))
          return line;
        return change(words, line, index);
      })
      .join('\n');
  };

const unbalanced = (line: string) =>
  line
    .replaceAll(/\\./g, '')
    .replaceAll(/"[^"]*"|'[^']*'/g, '')
    .match(/["']/) !== null;

const spaced = byLine((words, line, index) => {
  if (sections.test(line)) return `${words.join(' \t')}   # ${index}`;
  return `${index % 2 ? '\t' : '      '}${words.join(index % 3 ? '  ' : '\t ')}${index % 4 ? '' : ' # a comment'}${index % 5 ? '' : '\n\n# another'}`;
});

/** Not the first words: by them a section is known. */
const quoted = byLine((words, line) => {
  const indent = /^\s*/.exec(line)?.[0] ?? '';
  if (sections.test(line) || /^\./.test(words[0] ?? '') || isFragile(words)) return line;
  return (
    indent + words.map((word, at) => (at > 0 && /^[\w./:-]+$/.test(word) ? `"${word}"` : word)).join(' ')
  );
});

/** Lines that are told as they are written where they are not understood. */
const isFragile = (words: readonly string[]) =>
  ['description', 'log-format', 'option', 'errorfile'].includes(words[0] ?? '');

/** Every ACL of the text gets another name, the same everywhere. */
const renamedAcls: Form = (text) => {
  const names = new Set(
    text.split('\n').flatMap((line) => {
      const [first, name] = wordsOf(line) ?? [];
      return first === 'acl' && name && /^[\w.-]+$/.test(name) && !/^(?:or|[A-Z_\d.]+)$/.test(name)
        ? [name]
        : [];
    }),
  );
  const isSpokenOf = /\bacl\(|(?<!\S)--(?!\S)/.test(text);
  if (names.size === 0 || isSpokenOf) return text;
  return byLine((words, line) => {
    const indent = /^\s*/.exec(line)?.[0] ?? '';
    const from =
      words[0] === 'acl' ? 1 : words.findLastIndex((word) => word === 'if' || word === 'unless') + 1;
    if (from === 0) return line;
    let braces = 0;
    const renamed = words.map((word, at) => {
      if (word === '{' || word === '!{') braces += 1;
      if (word === '}') braces -= 1;
      const bare = word.replace(/^!/, '');
      const isName = words[0] === 'acl' ? at === 1 : at >= from && braces === 0;
      return isName && names.has(bare) ? `${word.slice(0, word.length - bare.length)}n_${bare}` : word;
    });
    return indent + renamed.join(' ');
  })(text);
};

/** Backends that are named nowhere but where requests are sent to them get another name. */
const renamedBackends: Form = (text) => {
  if (/%b|%\[|be_name|be_id|%be|server-state|fe_|use_backend\s+\S*%/.test(text)) return text;
  const lines = text.split('\n').map((line) => wordsOf(line) ?? []);
  const sent = new Set(['backend', 'use_backend', 'default_backend']);
  const told = lines.filter(([first]) => first === 'backend').map(([, name = '']) => name);
  const elsewhere = new Set(
    lines.flatMap((words) =>
      (sent.has(words[0] ?? '') ? words.slice(2) : words).flatMap((word) =>
        word.split(/[^\w.-]+/).flatMap((part) => [part, ...part.split('.')]),
      ),
    ),
  );
  const names = new Set(told.filter((name) => /^[\w.-]+$/.test(name) && !elsewhere.has(name)));
  return byLine((words, line) => {
    const [first = '', name = ''] = words;
    if (!sent.has(first) || !names.has(name)) return line;
    return `${/^\s*/.exec(line)?.[0] ?? ''}${[first, `n_${name}`, ...words.slice(2)].join(' ')}`;
  })(text);
};

/** Backends that stand one behind the other change their places. */
const reordered: Form = (text) => {
  if (/^\s*\.(?:if|else|elif)/m.test(text)) return text;
  const parts: { head: string; lines: string[] }[] = [{ head: '', lines: [] }];
  for (const line of text.split('\n')) {
    if (sections.test(line)) parts.push({ head: /\S+/.exec(line)?.[0] ?? '', lines: [line] });
    else parts.at(-1)?.lines.push(line);
  }
  const names = parts
    .filter(({ head }) => head === 'backend')
    .map(({ lines }) => lines[0]?.trim().split(/\s+/)[1]);
  if (new Set(names).size < names.length) return text;
  const ordered: string[][] = [];
  for (let at = 0; at < parts.length; ) {
    let end = at + 1;
    if (parts[at]?.head === 'backend') while (parts[end]?.head === 'backend') end += 1;
    ordered.push(
      ...parts
        .slice(at, end)
        .map(({ lines }) => lines)
        .reverse(),
    );
    at = end;
  }
  return `${ordered.flat().join('\n')}\n`;
};

/** Names before quotes: a quoted name is not looked for. */
export const haproxyForms = { renamedAcls, renamedBackends, reordered, quoted, spaced } as const;
