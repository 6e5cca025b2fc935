/** What a hand did behind Holdfast's back is shown, with its plan; taken back or taken over. */
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { until } from '../../test/world/stack.ts';
import { type } from '../../test/world/up.ts';
import type { Proof } from '../proof.ts';
import type { Field } from './field.ts';

export async function drifts(proof: Proof, field: Field): Promise<void> {
  const { file, env } = field;
  const text = field.text([1, 2, 3]);
  const edited = text.replace('name: web, pool: web', 'name: web, hostnames: [shop.example], pool: web');
  const typed = (...args: string[]) => type(args, { env }).ended;
  const drift = (...args: string[]) => typed('drift', ...args);
  const holds = (name: string, came: unknown, wanted: unknown) =>
    proof.holds(name, String(came), String(wanted), String(came) === String(wanted));

  writeFileSync(file, text);
  await field.change(text, { force: true, release: true, reason: 'what the case begins with' });
  holds('drift: nothing was changed', (await drift()).exit, 0);

  writeFileSync(file, edited);
  const boot = bootFile(field);
  const written = readFileSync(boot, 'utf8');
  chmodSync(boot, 0o600);
  writeFileSync(boot, `${written}\n# a hand was here\n`);
  if (field.engine === 'haproxy') await tell(field, 'set server web/web-1 weight 7');
  const told = await drift();
  holds('drift: an edited file, boot text and engine are told', told.exit, 2);
  const lines = [
    /site\.yaml: edited, and not applied/,
    /of the next boot: was edited/,
    ...(field.engine === 'haproxy'
      ? [/server web\/web-1 of generation \d+: weight 7; wanted: weight 1/]
      : []),
  ];
  holds('  each of them', lines.filter((line) => !line.test(told.out)).join(' '), '');
  holds('  and the plan of the edited file', /GET https?:.*holdfast apply /s.test(told.out), true);
  if (!/GET http/.test(told.out)) proof.say(told.out);

  holds('drift: reverted', (await drift('--revert')).exit, 0);
  holds('  the file as it was applied', readFileSync(file, 'utf8') === text, true);
  holds('  the text of the next boot too', readFileSync(boot, 'utf8') === written, true);
  if (field.engine === 'haproxy')
    holds('  and the engine', /^1 /.test(await tell(field, 'get weight web/web-1')), true);
  holds('  nothing is left', (await drift()).exit, 0);

  writeFileSync(file, edited);
  const applied = await typed('apply', file);
  holds('drift: the edit is taken over by applying it', applied.exit, 0);
  if (applied.exit !== 0) proof.say(`${applied.out}${applied.err}`);
  if (field.engine === 'haproxy') {
    await tell(field, 'set server web/web-1 weight 9');
    holds('drift: what an engine was told is adopted', (await drift('--adopt')).exit, 0);
    const isKept = async () => /server web-1 .* weight 9/.test(readFileSync(boot, 'utf8'));
    holds('  and in the text of the next boot', await until('the next boot', isKept), true);
  }
  holds('  nothing is left', (await drift()).exit, 0);
}

function bootFile({ env, engine }: Field): string {
  return join(env.HOLDFAST_STATE, 'shop/lb-1/last-good', engine === 'haproxy' ? 'haproxy.cfg' : 'nginx.conf');
}

/** A hand at the socket of the newest engine, which Holdfast does not see. */
async function tell({ env }: Field, command: string): Promise<string> {
  const run = join(env.HOLDFAST_RUN, 'shop/lb-1');
  const active = await activeOf(env);
  const socket = connect(join(run, `g${active}`, 'control.sock'));
  socket.end(`${command}\n`);
  let said = '';
  for await (const chunk of socket) said += String(chunk);
  return said;
}

async function activeOf(env: Field['env']): Promise<number> {
  const { out, err } = await type(['status', '--json'], { env }).ended;
  const { balancers } = JSON.parse(out || `{"error":${JSON.stringify(err)}}`) as {
    balancers: { balancer: string; generations: { generation: number; role: string }[] }[];
  };
  const one = balancers.find(({ balancer }) => balancer === 'lb-1');
  const active = one?.generations.find(({ role }) => role === 'active');
  if (!active) throw new Error(`no active generation: ${out}${err} ${readdirSync(env.HOLDFAST_RUN).join()}`);
  return active.generation;
}
