/**
 * Loaded before the program of every process of a site: the agent of a balancer moves to that balancer's own machine (a
 * network namespace) with that machine's own /etc/hosts, and whatever it starts, holder and engines, is there too.
 * `LOCATED` names them: a JSON of `{ "lb-1": { "namespace": ..., "hosts": ... } }`.
 */
import { closeSync, openSync } from 'node:fs';

const newMounts = 0x20000;
const newNetwork = 0x40000000;
const privateAll = 0x44000;
const bind = 0x1000;

const at = process.argv.indexOf('--balancer');
const isAgent = process.argv.includes('agent') && at > 0;
const places = JSON.parse(process.env.LOCATED ?? '{}') as Record<
  string,
  { namespace: string; hosts: string }
>;
const place = isAgent ? places[process.argv[at + 1] ?? ''] : undefined;
if (place) {
  const { default: koffi } = await import('koffi');
  const libc = koffi.load('libc.so.6');
  const setns = libc.func('int setns(int, int)');
  const unshare = libc.func('int unshare(int)');
  const mount = libc.func('int mount(const char *, const char *, const char *, unsigned long, const char *)');
  const namespace = openSync(`/run/netns/${place.namespace}`, 'r');
  const done = [
    setns(namespace, newNetwork),
    unshare(newMounts),
    mount('none', '/', 'none', privateAll, ''),
    mount(place.hosts, '/etc/hosts', 'none', bind, ''),
  ];
  closeSync(namespace);
  if (done.some((result) => result !== 0)) throw new Error(`no machine of its own: ${done.join(' ')}`);
}
