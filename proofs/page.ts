/** `docs/proofs.md`: what each proof proves, its command, and what it printed last. */
import { spawnSync } from 'node:child_process';
import { availableParallelism, release } from 'node:os';

export interface ListedProof {
  readonly name: string;
  /** Its program in this folder, without the ending, where it is not its name. */
  readonly program?: string;
  readonly proves: string;
  /** It is ended when it takes longer. */
  readonly minutesMax: number;
}

/** In the order in which they are run: each alone on the machine. */
export const proofs: readonly ListedProof[] = [
  {
    name: 'switch',
    proves:
      'Ten thousand switches between generations under load lose no request, by kind of connection; a canary gets the share that it was given; a generation that starts parked takes next to nothing; a rollback stops bad answers within milliseconds; TCP connections, new and kept, too.',
    minutesMax: 25,
  },
  {
    name: 'kill',
    proves:
      'Kill -9 and SIGSTOP of every process of a balancer, on HAProxy and on NGINX (master, worker, both; SIGHUP too), at every moment that matters, and a full disk, under load: nothing is lost but what was in flight in an engine that died, and everything is whole again by itself.',
    minutesMax: 40,
  },
  {
    name: 'detectors',
    proves:
      'The tables of delays of the detectors and their budget of false alarms, by simulation: importance sampling, bursts, days of steady, daily and bursty traffic; canaries, traffic that disappears, requests that hang, recovery, time until full, objectives.',
    minutesMax: 30,
  },
  {
    name: 'net',
    proves:
      'A forced change whose servers cannot be reached fails no request: the last good generation answers, through private entrances that cannot form a loop, and the guard takes the change back.',
    minutesMax: 20,
  },
  {
    name: 'takeover',
    proves:
      'A site whose engine is broken (it crashes or hangs at its start, accepts and never answers, dies again and again) is carried by another engine within a second of the third rung failing, stays with it, and comes back by a change.',
    minutesMax: 15,
  },
  {
    name: 'input',
    proves:
      'Every bad input gets a message with its place and a remedy and exit status 1, and changes nothing: requests go on all the while, the same processes serve, no change is promoted.',
    minutesMax: 20,
  },
  {
    name: 'adopt',
    proves:
      'A running HAProxy (master and worker, or alone) and NGINX are adopted on their own sockets and handed back under load, by kind of connection; observe touches nothing; reload by the service manager, the admin socket and a boot without Holdfast work.',
    minutesMax: 20,
  },
  {
    name: 'gates',
    proves:
      'Each gate of a change finds what it is for, and lets pass what it must, on HAProxy and on NGINX, on two balancers under load: gate, case, verdict.',
    minutesMax: 15,
  },
  {
    name: 'simulation',
    proves:
      'The controller as it runs, in simulated time, under crashes, stops, a network that cuts, delays, loses and doubles, a disk that is full or slow and a clock that jumps: thousands of orders of events, each of which a seed names and which ends with every promise kept (docs/decisions/0017).',
    minutesMax: 10,
  },
  {
    name: 'escalation',
    proves:
      'Nobody is paged twice for one step and nobody is forgotten: people, receivers that hang, fail, refuse, answer late or lose their answers, clocks that jump and disks that are full, in simulated time, each scenario killed after every single entry of its journal; and three real kill -9 between a page and its entry, with a real receiver (docs/decisions/0021).',
    minutesMax: 15,
  },
  {
    name: 'state',
    proves:
      'What a site knows goes on, on each engine that has it, under load: TLS sessions (by openssl, 1.2 and 1.3), sticky clients, what is counted of a client, a server that is known to be down, weights that were set by hand or changed without a new generation; over switches, rollbacks, rotations of the ticket keys, kill -9 of the agent in the middle of one, and of the active engine.',
    minutesMax: 15,
  },
  {
    name: 'spike',
    proves:
      'Five times the traffic on a pool that is not made for it, with and without its spare server, in one run on HAProxy, which is told of it while it runs (`--engine builtin`: by a new generation, half a minute later, which is too late for a spike of 40 s): what fails, how long requests take, when the spare serves, and that it leaves again.',
    minutesMax: 15,
  },
  {
    name: 'ladder',
    proves:
      'Engines that misbehave, each from each point in the life of a change on: refused, rolled back, or another engine carries the site; what is not used may be broken. HAProxy behind a script, or with a library loaded into it (`npm run prove:ladder -- --engine WAY --phase PHASE`; needs a C compiler). Requests come all the while.',
    minutesMax: 60,
  },
  {
    name: 'faults',
    proves:
      'Real faults at each step of a change, against the real `holdfast up` under load: kill -9 and SIGSTOP of controller, agent, holder, supervisor and each engine; a clock of the day that jumps (CLOCK_REALTIME has no namespace, so a library gives it to every process of the site, engines too); a disk that is full (a small file system) or takes a second for everything that is to stay (a library again); no more memory, by cgroup and by ulimit; controller and supervisor away for 20 s, more than six leases, in the place of an hour. `--only processes|clock|disk|memory|away` runs a part, `--victim active` what happens to that process; needs a C compiler and root.',
    minutesMax: 45,
  },
  {
    name: 'located',
    proves:
      'Injected faults on two balancers, HAProxy and NGINX, before two pools, each machine of the site a network namespace with its own cable, under 160 requests a second: of servers, pools, machines, the network (cut, late, lossy: a token bucket, as this kernel has no netem), names, engines, agents, too many requests, bad changes of each kind (forced), two at once. For each: what visitors got, when it was seen, what was said to be its cause, and whether that is right, among what is said to be possible, or wrong. Clients that misbehave and a minute without a fault wake nobody. `--only WORDS` runs some; needs root and iproute2.',
    minutesMax: 25,
  },
  {
    name: 'page',
    program: 'to-page',
    proves:
      'From the first bad answer to the page at its receiver, for the founding incident and other faults, at 100 requests a second: Holdfast, and beside it Prometheus with Alertmanager (as the popular collections have them, and as fast as they go) and somebody who asks each minute and speaks at the third failure, as Gatus does by default. `--only WORDS` runs some.',
    minutesMax: 35,
  },
  {
    name: 'cost',
    proves:
      "What it costs to be watched: an engine's processor time for being asked ten times a second with 1,000 servers, as a share of what it takes at full load; and how many times faster than real time one core weighs 1,000 series of ticks.",
    minutesMax: 8,
  },
  {
    name: 'outages',
    proves:
      'Outages that others have told of, replayed (`proofs/outages/`, one file each, with its source): what became of requests under HAProxy with a service manager, Prometheus, Alertmanager and a program that puts everything back in the moment of the page, and under Holdfast. `--only NAME` runs one.',
    minutesMax: 20,
  },
  {
    name: 'badness',
    proves:
      'What a bad change costs that nothing has stopped beforehand: failed requests by kind of badness and by rate, with HAProxy and its reload and with Caddy and its admin API, each under Prometheus and Alertmanager as fast as they go with a program that puts the old text back at the page, and with Holdfast, forced. A good answer from the wrong site is seen by none of them: it is told and not judged. `--kind KIND --rate N` runs a part.',
    minutesMax: 60,
  },
  {
    name: 'smuggling',
    proves:
      'No request smuggling by any published way, with each engine as the front: what reaches a server is refused before, or is one request that a strict server and fourteen kinds of lax ones read alike; and the same for requests that are mutated at random for some seconds.',
    minutesMax: 5,
  },
  {
    name: 'plan',
    proves:
      'What a text is said to mean is what the real engine does: random texts, their constructs as often as real files have them, by random requests near to what the texts ask for; each decision, rewritten path and header is compared. `--engine haproxy|nginx --seed N --decisions N` chooses, `--minutes N` bounds it, `--text N` asks one text again.',
    minutesMax: 20,
  },
  {
    name: 'mutants',
    proves:
      'What holds the model right would find it wrong: bugs are planted in the lifts, in what a meaning says, in the comparison of two and in what a plan tells (conditions negated, order swapped, off by one, flags dropped, ...), one at a time, and at least 95 % are found: by what real engines did with random texts, by lines that they refuse, by asking both sides of a comparison, by tables asked about every text of a small universe, by settings, and, in what a plan tells, by its tests. A place that nothing comes by counts as not found; what nobody could find is left out by named rules (`proofs/mutants/excluded.ts`). Nothing may be found where nothing is planted, and a plain mistake of each area has to be. Which are drawn is decided by `--seed N`, how many by `--mutants N`.',
    minutesMax: 30,
  },
  {
    name: 'scale',
    proves:
      'What a plan costs in processor time and memory as texts grow, up to 100,000 routes, with one route changed and with every route changed, in each dialect; `--write` draws the curves into docs/scale.svg.',
    minutesMax: 8,
  },
  {
    name: 'corpus',
    proves:
      'Any folder of real files and of edits (`npm run prove:corpus -- DIR`; without one, our own): which the real engine accepts, stand-ins being made for what is not there; which are understood, and at which line not; each is the same when it is written otherwise; what each edit changes is confirmed by the engine with the old and the new text. An edit is `NAME.before.cfg` beside `NAME.after.cfg`, or one name below `before/` and `after/`; what an nginx.conf includes from the folder is a part of it, `NAME.d/*.cfg` of HAProxy are one text. `--keep FILE` goes on where a run was ended, `--minutes N` bounds it, `--only PART` looks at some.',
    minutesMax: 20,
  },
  {
    name: 'fuzz',
    proves:
      'Bad input gets an answer with its place in bounded time and memory, from `plan`, `explain` and `check`: texts that are known to be hard (binary, endless, nested, looping, 50 MB, expressions of PCRE that JavaScript has not), and texts, policy files and logs changed at random by `--seed N --inputs N`, from ours and those of `npm run prove:fuzz -- DIR`. Each runs in a child with limits; one that fails is made smaller and printed.',
    minutesMax: 30,
  },
  {
    name: 'engines',
    proves:
      'The contract of an engine (`docs/contract.md`): what each engine, in the version that is installed and in those of other releases of Debian, does with each case of what comes over the wire.',
    minutesMax: 15,
  },
];

const heading = `# Proofs

Each is a program in \`proofs/\` that sets up the real thing (HAProxy, sockets, processes, files), does to it what must not
matter, and judges what came of it. \`npm run prove\` runs all, one after the other; \`npm run prove -- input --write\` runs one and
keeps its output here. A figure with ✓ was judged and holds, one without a mark is only told.
`;

export interface Outcome {
  readonly name: string;
  /** Null: it was ended, because it took too long. */
  readonly exit: number | null;
  readonly output: string;
}

/** The page with the outcomes in it; proofs that were not run keep what they had on the page before. */
export function pageWith(outcomes: readonly Outcome[], before: string, on: string): string {
  const sections = proofs.map(({ name, proves }) => {
    const outcome = outcomes.find((one) => one.name === name);
    const kept = lastOutputIn(before, name);
    const last = outcome ? lastOutput(outcome, on) : (kept ?? 'Not run yet.\n');
    return `## ${name}\n\n${proves}\n\nCommand: \`npm run prove:${name}\`\n\n${last}`;
  });
  return [heading, ...sections].join('\n');
}

const begins = 'Last run ';

function lastOutput({ exit, output }: Outcome, on: string): string {
  const how = exit === null ? ', ended because it took too long' : exit === 0 ? '' : `, exit status ${exit}`;
  return `${begins}${on}${how}:\n\n\`\`\`text\n${tidied(output)}\n\`\`\`\n`;
}

/** Names of temporary folders say nothing, and long lines no more than their beginning. */
function tidied(output: string): string {
  return output
    .trim()
    .replaceAll(/\/tmp\/[\w.-]+/g, '/tmp/...')
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

function lastOutputIn(page: string, name: string): string | null {
  const [, section] = new RegExp(`^## ${name}\\n([\\s\\S]*?)(?=^## |$(?![\\s\\S]))`, 'm').exec(page) ?? [];
  const at = section?.indexOf(begins) ?? -1;
  return section === undefined || at < 0 ? null : `${section.slice(at).trimEnd()}\n`;
}

/** When and where, as a reader of figures wants to know. */
export function whenAndWhere(now: Date): string {
  const said = spawnSync('haproxy', ['-v'], { encoding: 'utf8' }).stdout ?? '';
  const haproxy = /HAProxy version ([\d.]+)/i.exec(said)?.[1];
  const engine = haproxy === undefined ? 'no HAProxy' : `HAProxy ${haproxy}`;
  return `${now.toISOString().slice(0, 10)} on ${availableParallelism()} cores, Linux ${release().split('-')[0]}, Node ${process.versions.node}, ${engine}`;
}
