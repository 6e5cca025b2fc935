/** `show stat` as rows. Only the columns that are read are taken out of each line: a line has a hundred. */
export type StatRow<C extends string> = Readonly<Record<C, string>>;

/**
 * The rows of every table in the text (one command line may hold several `show stat`).
 * @throws Error when there is no table, or it lacks a column: an empty answer must not look like zero errors.
 */
export function statRows<const C extends string>(text: string, columns: readonly C[]): StatRow<C>[] {
  const rows: StatRow<C>[] = [];
  let places: readonly number[] | null = null;
  for (const line of text.split('\n')) {
    if (line.startsWith('# ')) places = placesOf(line.slice(2), columns);
    else if (line !== '' && places) rows.push(rowOf(line, columns, places));
  }
  if (!places) throw new Error(`statistics were expected, got: ${text.slice(0, 200)}`);
  return rows;
}

function placesOf(head: string, columns: readonly string[]): number[] {
  const names = head.split(',');
  return columns.map((column) => {
    const place = names.indexOf(column);
    if (place < 0) throw new Error(`the statistics have no column ${column}`);
    return place;
  });
}

function rowOf<C extends string>(line: string, columns: readonly C[], places: readonly number[]): StatRow<C> {
  const values = fieldsOf(line);
  const row = {} as Record<C, string>;
  columns.forEach((column, index) => {
    row[column] = values[places[index] ?? -1] ?? '';
  });
  return row;
}

/** A field with a comma or quote stands in double quotes, quotes in it doubled. */
function fieldsOf(line: string): string[] {
  if (!line.includes('"')) return line.split(',');
  const values: string[] = [];
  for (let at = 0; at <= line.length; at += 1) {
    const [whole = '', quoted] = /^(?:"((?:[^"]|"")*)"|[^,]*)/.exec(line.slice(at)) ?? [];
    values.push(quoted === undefined ? whole : quoted.replaceAll('""', '"'));
    at += whole.length;
  }
  return values;
}

export function count(field: string): number {
  return Number(field) || 0;
}
