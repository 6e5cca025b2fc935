/** Adds it, and gives back the oldest where there are too many. */
export function keep<T>(list: T[], one: T, max: number): T | null {
  list.push(one);
  return list.length > max ? (list.shift() ?? null) : null;
}
