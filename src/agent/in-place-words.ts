import type { ServerChange } from '#dialects';
import type { ServerCommand } from '#engines';

/** Until the change is good nobody is deleted: a server that goes gets no request, and is back with one word. */
export function doing(change: ServerChange): ServerCommand {
  const { pool, server } = change;
  switch (change.kind) {
    case 'add':
      return { kind: 'add', pool, server, words: change.words, maintenance: change.maintenance };
    case 'remove':
      return { kind: 'maintenance', pool, server, on: true };
    case 'weight':
      return { kind: 'weight', pool, server, weight: change.weight };
    case 'maintenance':
      return { kind: 'maintenance', pool, server, on: change.on };
  }
}

export function undoing(change: ServerChange): ServerCommand {
  const { pool, server } = change;
  switch (change.kind) {
    case 'add':
      return { kind: 'maintenance', pool, server, on: true };
    case 'remove':
      return { kind: 'add', pool, server, words: change.words, maintenance: change.maintenance };
    case 'weight':
      return { kind: 'weight', pool, server, weight: change.before };
    case 'maintenance':
      return { kind: 'maintenance', pool, server, on: !change.on };
  }
}

export function deleting({ pool, server }: ServerChange): ServerCommand {
  return { kind: 'delete', pool, server };
}

/** `web/b comes`, `web/a weighs 3 instead of 1`. */
export function inWords(change: ServerChange): string {
  const name = `${change.pool}/${change.server}`;
  switch (change.kind) {
    case 'add':
      return `${name} comes`;
    case 'remove':
      return `${name} goes`;
    case 'weight':
      return `${name} weighs ${change.weight} instead of ${change.before}`;
    case 'maintenance':
      return `${name} is ${change.on ? 'put into' : 'taken out of'} maintenance`;
  }
}
