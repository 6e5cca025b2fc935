/** Which characters of a TypeScript text are code: not in comments, strings, templates or regular expressions. */
export function codeIn(text: string): readonly boolean[] {
  const code = new Array<boolean>(text.length).fill(true);
  const hide = (from: number, to: number) => code.fill(false, from, to);
  const templates: number[] = [];
  let depth = 0;
  let last = '';
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at);
    const two = text.slice(at, at + 2);
    const end = endOf(text, at, char, two, last);
    if (end !== null) {
      hide(at, end);
      at = end - 1;
      if (two !== '//' && two !== '/*') last = 'x';
    } else if (char === '`' || (char === '}' && templates.at(-1) === depth)) {
      if (char === '}') templates.pop();
      const [close, isOpen] = templateEnd(text, at + 1);
      hide(at, close);
      if (isOpen) templates.push(depth);
      at = close - 1;
      last = isOpen ? '(' : 'x';
    } else {
      if (char === '{') depth += 1;
      if (char === '}') depth -= 1;
      if (char.trim() !== '') last = char;
    }
  }
  return code;
}

/** Of a comment, a string or a regular expression that begins here. */
function endOf(text: string, at: number, char: string, two: string, last: string): number | null {
  if (two === '//') return lineEnd(text, at);
  if (two === '/*') return text.indexOf('*/', at) + 2;
  if (char === "'" || char === '"') return quoteEnd(text, at, char);
  if (char === '/' && /[(,=:[!&|?{};>]|^$/.test(last)) return regexEnd(text, at);
  return null;
}

function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end;
}

function quoteEnd(text: string, start: number, quote: string): number {
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === quote) return at + 1;
  }
  return text.length;
}

function regexEnd(text: string, start: number): number {
  let inClass = false;
  for (let at = start + 1; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (char === '\\') at += 1;
    else if (char === '[') inClass = true;
    else if (char === ']') inClass = false;
    else if (char === '/' && !inClass) return at + 1;
  }
  return text.length;
}

/** To behind the closing backquote, or behind the `${` that opens code again. */
function templateEnd(text: string, start: number): readonly [number, boolean] {
  for (let at = start; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '`') return [at + 1, false];
    else if (text.startsWith('${', at)) return [at + 2, true];
  }
  return [text.length, false];
}

/** The parenthesis that closes the one at `open`; -1: none does. */
export function closingOf(text: string, open: number, code: readonly boolean[]): number {
  let depth = 0;
  for (let at = open; at < text.length; at += 1) {
    if (!code[at]) continue;
    if ('([{'.includes(text.charAt(at))) depth += 1;
    if (')]}'.includes(text.charAt(at))) depth -= 1;
    if (depth === 0) return at;
  }
  return -1;
}

/** Where the arguments between two parentheses begin and end. */
export function argumentsIn(
  text: string,
  open: number,
  close: number,
  code: readonly boolean[],
): readonly (readonly [number, number])[] {
  const found: [number, number][] = [];
  let depth = 0;
  let start = open + 1;
  for (let at = open + 1; at <= close; at += 1) {
    const char = text.charAt(at);
    if (at === close || (code[at] && char === ',' && depth === 0)) {
      if (text.slice(start, at).trim() !== '') found.push([start, at]);
      start = at + 1;
    } else if (code[at] && '([{'.includes(char)) depth += 1;
    else if (code[at] && ')]}'.includes(char)) depth -= 1;
  }
  return found;
}
