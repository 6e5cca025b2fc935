/** Figures over sizes as an SVG: both axes by powers of ten. */
export interface Curve {
  readonly name: string;
  readonly points: readonly (readonly [routes: number, value: number])[];
}

const width = 420;
const height = 300;
const edge = { left: 70, right: 16, top: 36, bottom: 44 };
const colours = ['#1f6feb', '#d1242f', '#1a7f37', '#9a6700', '#8250df', '#57606a'];

interface Range {
  readonly least: number;
  readonly most: number;
}

export interface Chart {
  readonly title: string;
  readonly unit: string;
  readonly curves: readonly Curve[];
}

/** Charts side by side, with one legend below. */
export function drawn(charts: readonly Chart[]): string {
  const names = charts[0]?.curves.map(({ name }) => name) ?? [];
  const legend = names.map((name, index) => {
    const [x, y] = [edge.left + (index % 3) * 250, height + 18 + Math.floor(index / 3) * 18];
    return `<circle cx="${x}" cy="${y - 4}" r="4" fill="${colours[index % colours.length]}"/><text x="${x + 10}" y="${y}">${name}</text>`;
  });
  const all = charts.map((chart, index) => `<g transform="translate(${index * width} 0)">${one(chart)}</g>`);
  const size = `${width * charts.length} ${height + 60}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size}" font-family="sans-serif" font-size="12" fill="#24292f" role="img" aria-labelledby="title">
<title id="title">${charts.map(({ title }) => title).join(', ')}</title>
<rect width="100%" height="100%" fill="#ffffff"/>
${[...all, ...legend].join('\n')}
</svg>
`;
}

function one({ title, unit, curves }: Chart): string {
  const points = curves.flatMap((curve) => curve.points);
  const across = rangeOf(points.map(([routes]) => routes));
  const up = rangeOf(points.map(([, value]) => value));
  const x = (routes: number) => edge.left + share(routes, across) * (width - edge.left - edge.right);
  const y = (value: number) => height - edge.bottom - share(value, up) * (height - edge.top - edge.bottom);
  const lines = [
    `<text x="${edge.left}" y="20" font-weight="bold">${title}</text>`,
    ...tensIn(up).map(
      (value) =>
        `<line x1="${edge.left}" x2="${width - edge.right}" y1="${y(value)}" y2="${y(value)}" stroke="#d0d7de"/><text x="${edge.left - 8}" y="${y(value) + 4}" text-anchor="end">${shown(value)} ${unit}</text>`,
    ),
    ...tensIn(across).map(
      (routes) =>
        `<line x1="${x(routes)}" x2="${x(routes)}" y1="${edge.top}" y2="${height - edge.bottom}" stroke="#d0d7de"/><text x="${x(routes)}" y="${height - edge.bottom + 18}" text-anchor="middle">${shown(routes)}</text>`,
    ),
    `<text x="${(edge.left + width - edge.right) / 2}" y="${height - 8}" text-anchor="middle">routes</text>`,
  ];
  const drawnCurves = curves.map(({ points: at }, index) => {
    const colour = colours[index % colours.length];
    const path = at.map(([routes, value]) => `${x(routes).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
    const dots = at.map(
      ([routes, value]) =>
        `<circle cx="${x(routes).toFixed(1)}" cy="${y(value).toFixed(1)}" r="3" fill="${colour}"/>`,
    );
    return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>${dots.join('')}`;
  });
  return [...lines, ...drawnCurves].join('\n');
}

/** Whole powers of ten around all. */
function rangeOf(values: readonly number[]): Range {
  const least = 10 ** Math.floor(Math.log10(Math.min(...values)));
  const most = 10 ** Math.ceil(Math.log10(Math.max(...values)));
  return { least, most: most > least ? most : least * 10 };
}

const share = (value: number, { least, most }: Range): number =>
  Math.log10(value / least) / Math.log10(most / least);

function tensIn({ least, most }: Range): readonly number[] {
  const count = Math.round(Math.log10(most / least));
  return Array.from({ length: count + 1 }, (_, power) => least * 10 ** power);
}

const shown = (value: number): string => (value >= 1 ? value.toLocaleString('en') : `${value}`);
