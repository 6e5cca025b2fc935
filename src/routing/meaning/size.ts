/** Past it a value is too complex: what is written into itself again and again doubles each time. */
export const valueSizeMax = 50_000;

const sizes = new WeakMap<object, number>();
/** What one step of a text gives as a whole, and no later one makes longer. */
const plain = new Set(['place', 'language', 'regex', 'by', 'cases', 'networks', 'field']);

/** Of how many parts it is made, each counted as often as it stands there: shared ones too. */
export function sizeOf(part: object): number {
  // Most that are asked about.
  if ('field' in part) return 1 + 'field'.length / 64;
  const known = sizes.get(part);
  if (known !== undefined) return known;
  let size = 1;
  for (const [name, one] of Object.entries(part) as [string, unknown][]) {
    if (plain.has(name)) continue;
    if (typeof one === 'string') size += one.length / 64;
    else if (typeof one === 'object' && one !== null) size += sizeOf(one);
  }
  sizes.set(part, size);
  return size;
}
