import type { PlannedPage } from '#events';
import type { OnCall, Target } from '../settings.ts';
import type { Book, Escalation } from './book.ts';
import { onCallAt } from './schedule.ts';

type Contact = Omit<PlannedPage, 'id'>;

/** Who a step reaches at this moment, each place once; and why nobody was found where nobody was. */
export function targetsOf(
  settings: OnCall,
  targets: readonly Target[],
  at: number,
): { readonly reached: readonly Contact[]; readonly missing: readonly string[] } {
  const found = targets.map((target) => contactsOf(settings, target, at));
  return {
    reached: distinct(found.flatMap((one) => (typeof one === 'string' ? [] : one))),
    missing: found.flatMap((one) => (typeof one === 'string' ? [one] : [])),
  };
}

/** A text says why there is nobody. */
function contactsOf(settings: OnCall, { kind, name, to }: Target, at: number): readonly Contact[] | string {
  switch (kind) {
    case 'notifier':
      return [{ person: null, notifier: name, to }];
    case 'person':
      return ofPerson(settings, name);
    case 'team': {
      const team = settings.teams.find((one) => one.name === name);
      if (!team) return `oncall.yaml has no team "${name}" any more`;
      return team.members.flatMap((member) => {
        const contacts = ofPerson(settings, member);
        return typeof contacts === 'string' ? [] : contacts;
      });
    }
    case 'schedule': {
      const schedule = settings.schedules.find((one) => one.name === name);
      if (!schedule) return `oncall.yaml has no schedule "${name}" any more`;
      const person = onCallAt(schedule, at);
      return person === null ? `nobody is on call in "${name}"` : ofPerson(settings, person);
    }
  }
}

function ofPerson({ people }: OnCall, name: string): readonly Contact[] | string {
  const person = people.find((one) => one.name === name);
  if (!person) return `oncall.yaml has nobody called "${name}" any more`;
  return person.contacts.map(({ notifier, to }) => ({ person: name, notifier, to }));
}

/** Who was paged in it and may have it: what is told to them is where they were told before. */
export function told(book: Book, { notifiers }: OnCall, { turns }: Escalation): readonly Contact[] {
  const pages = turns
    .filter(({ what }) => what === 'page')
    .flatMap((turn) => turn.pages)
    .flatMap((id) => book.pages.get(id) ?? []);
  const known = new Set(notifiers.map(({ name }) => name));
  return distinct(
    pages
      .filter(({ state, attempts }) => state === 'sent' || (state === 'planned' && attempts === 0))
      .filter(({ notifier }) => known.has(notifier))
      .map(({ person, notifier, to }) => ({ person, notifier, to })),
  );
}

/** `id` is made of what never changes, so that whoever plans it again gives it the same one. */
export function pagesFor(turn: string, contacts: readonly Contact[]): readonly PlannedPage[] {
  return contacts.map((contact, i) => ({ id: `${turn}.${i}`, ...contact }));
}

function distinct(contacts: readonly Contact[]): readonly Contact[] {
  const seen = new Set<string>();
  return contacts.filter(({ notifier, to, person }) => {
    // A channel that needs no address is one place, whoever is meant.
    const key = `${notifier} ${to === '' ? '' : `${to} ${person}`}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
