import { text, word } from './vocabulary.ts';

/** What a map gives: text as it is, or with variables in it. */
export type Value = string | { readonly raw: string };

export function map(
  subject: string,
  variable: string,
  entries: readonly (readonly [string, Value])[],
  otherwise: Value,
): string[] {
  return [
    `map "${subject}" ${variable} {`,
    ...entries.map(([key, value]) => `  ${word(key)} ${valueWord(value)};`),
    `  default ${valueWord(otherwise)};`,
    '}',
  ];
}

function valueWord(value: Value): string {
  return typeof value === 'string' ? text(value) : `"${value.raw}"`;
}

/** By chance, in steps of a hundredth of a per cent, which is what NGINX can count. */
export function splitClients(
  variable: string,
  shares: readonly (readonly [name: string, weight: number])[],
): string[] {
  const total = shares.reduce((sum, [, weight]) => sum + weight, 0);
  return [
    `split_clients $request_id ${variable} {`,
    ...shares
      .map(([name, weight], index) => {
        const share = index === shares.length - 1 ? '*' : `${((weight / total) * 100).toFixed(2)}%`;
        return `  ${share} ${word(name)};`;
      })
      .filter((line) => !line.startsWith('  0.00%')),
    '}',
  ];
}
