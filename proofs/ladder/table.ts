/** One row for each engine, one column for each phase, as wide as what stands in it. */
export function tableOf(
  rows: ReadonlyMap<string, ReadonlyMap<string, string>>,
  columns: readonly string[],
): readonly string[] {
  const cells = [
    ['', ...columns],
    ...[...rows].map(([name, row]) => [name, ...columns.map((column) => row.get(column) ?? '')]),
  ];
  const widths = ['', ...columns].map((_, at) => Math.max(...cells.map((row) => (row[at] ?? '').length)));
  return cells.map((row) =>
    row
      .map((text, at) => text.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
