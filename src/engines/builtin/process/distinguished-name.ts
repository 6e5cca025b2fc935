/**
 * A subject as Node gives it (a part a line, the most general first, several with a plus sign between) as RFC 2253 and the
 * other engines write it: the most special first, in ASCII, all of them turned round.
 */
export function rfc2253(subject: string): string {
  const parts = subject.split('\n').map((part) => part.split(' + ').reverse().join('+'));
  return [...Buffer.from(parts.reverse().join(','), 'utf8')]
    .map((byte) => (byte < 0x80 ? String.fromCharCode(byte) : `\\${byte.toString(16).toUpperCase()}`))
    .join('');
}
