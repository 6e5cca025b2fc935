import type { JournalEntry } from '#events';

/** Who is in the founding report, by role. */
export const roles = ['customer', 'support', 'engineering', 'vendor'] as const;
export type Role = (typeof roles)[number];

/** When one of them knew, or was told: milliseconds since the change was applied; null: never, in this run. */
export interface Knows {
  readonly role: Role;
  readonly atMs: number | null;
  /** How, in a few words; or why never. */
  readonly how: string;
}

/** The names of the people in the on-call file of the replay are their roles. */
export const onCallText = `notifiers: [{ name: phone, command: { run: ["true"] } }]
people:
  - { name: support, contacts: [{ notifier: phone, to: support }] }
  - { name: engineering, contacts: [{ notifier: phone, to: engineering }] }
  - { name: vendor, contacts: [{ notifier: phone, to: vendor }] }
policies:
  - name: standard
    steps:
      - { page: [person: support], ackWithin: 1s }
      - { page: [person: engineering], ackWithin: 1s }
      - { page: [person: vendor], ackWithin: 1m }
`;
export const nobodyAcknowledges =
  'Who knew when: under Holdfast nobody acknowledges, so that the escalation reaches everybody; each step waits for one second, not for minutes.';

/** As the report tells it; its customers told support, and support told engineering before any alert came. */
export function peopleUsually(firstErrorMs: number | null, pagedMs: number | null): readonly Knows[] {
  return [
    customer(firstErrorMs),
    { role: 'support', atMs: null, how: 'only by customers who call; nobody called within this run' },
    { role: 'engineering', atMs: pagedMs, how: pagedMs === null ? 'nobody was paged' : 'by the page' },
    { role: 'vendor', atMs: null, how: 'only when somebody thinks of calling; nobody did within this run' },
  ];
}

/** From the journal: whom its pages reached, and when. */
export function peopleTold(
  entries: readonly JournalEntry[],
  appliedAt: number,
  firstErrorMs: number | null,
): readonly Knows[] {
  const persons = new Map<string, string>();
  const told = new Map<string, number>();
  for (const { at, event } of entries) {
    if (event.kind === 'page.planned')
      for (const { id, person } of event.pages) if (person) persons.set(id, person);
    const person = event.kind === 'page.sent' ? persons.get(event.page) : undefined;
    if (person !== undefined && !told.has(person)) told.set(person, at - appliedAt);
  }
  const one = (role: Exclude<Role, 'customer'>, step: string): Knows => {
    const atMs = told.get(role) ?? null;
    return { role, atMs, how: atMs === null ? 'nobody had to be woken' : step };
  };
  return [
    customer(firstErrorMs),
    one('support', 'by the page, first step of the escalation'),
    one('engineering', 'by the page, second step'),
    one('vendor', 'by the page, third step'),
  ];
}

function customer(atMs: number | null): Knows {
  return { role: 'customer', atMs, how: atMs === null ? 'no request failed' : 'by the first error' };
}

/** Whoever was told all that there is to be told of these is in the journal. */
export function hasToldAll(entries: readonly JournalEntry[]): boolean {
  return peopleTold(entries, 0, null).every(({ role, atMs }) => role === 'customer' || atMs !== null);
}
