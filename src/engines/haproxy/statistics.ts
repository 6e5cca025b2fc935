/** `show stat` as rows. Only the columns that are read are taken out of each line: a line has a hundred. */
export type StatRow<C extends string> = Readonly<Record<C, string>>;

/**
 * A reader of the rows of every table in a text. The head, the same in every answer, is understood once.
 * @throws Error when there is no table, or it lacks a column: an empty answer must not look like zero errors.
 */
export function statReader<const C extends string>(columns: readonly C[]): (text: string) => StatRow<C>[] {
  let knownHead = '';
  let places: readonly (C | null)[] = [];
  return (text) => {
    const rows: StatRow<C>[] = [];
    let begun = false;
    for (const line of text.split('\n')) {
      if (line.startsWith('# ')) {
        if (line !== knownHead) places = wantedPlaces(line.slice(2), columns);
        knownHead = line;
        begun = true;
      } else if (line !== '' && begun) rows.push(rowOf(line, places));
    }
    if (!begun) throw new Error(`statistics were expected, got: ${text.slice(0, 200)}`);
    return rows;
  };
}

/** For each place of a line the column that is wanted there, or null; ends with the last one that is. */
function wantedPlaces<C extends string>(head: string, columns: readonly C[]): readonly (C | null)[] {
  const names = head.split(',');
  for (const column of columns)
    if (!names.includes(column)) throw new Error(`the statistics have no column ${column}`);
  const places = names.map((name) => columns.find((column) => column === name) ?? null);
  return places.slice(0, places.findLastIndex((column) => column !== null) + 1);
}

/** A field with a comma or quote stands in double quotes, quotes in it doubled. */
function rowOf<C extends string>(line: string, wanted: readonly (C | null)[]): StatRow<C> {
  const row = {} as Record<C, string>;
  let at = 0;
  for (const column of wanted) {
    const end = line[at] === '"' ? endOfQuoted(line, at) : line.indexOf(',', at);
    const until = end < 0 ? line.length : end;
    if (column !== null) row[column] = unquoted(line.slice(at, until));
    at = until + 1;
  }
  return row;
}

function endOfQuoted(line: string, from: number): number {
  const [whole = ''] = /^"(?:[^"]|"")*"?/.exec(line.slice(from)) ?? [];
  return line.indexOf(',', from + whole.length);
}

function unquoted(field: string): string {
  return field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field;
}

export function count(field: string): number {
  return Number(field) || 0;
}
