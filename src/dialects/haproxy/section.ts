export interface Section {
  readonly head: string;
  readonly lines: readonly string[];
}

export function sectionText({ head, lines }: Section): string {
  return [head, ...lines.map((line) => `  ${line}`)].join('\n');
}
