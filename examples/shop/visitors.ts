/**
 * Visitors of the example, who wait for nobody: 100 new connections a second to each balancer. Ctrl-C says how they fared.
 * `npm run visitors`, while `npm start` runs in another terminal.
 */
import { get } from 'node:http';

const balancers = ['http://127.0.0.1:8080', 'http://127.0.0.2:8080'];
const pages = ['/', '/', '/api/cart'];
const perSecond = 100;
const patienceMs = 10_000;

let answered = 0;
const failed = new Map<string, number>();
const fail = (why: string) => failed.set(why, (failed.get(why) ?? 0) + 1);

function visit(url: string): void {
  const asked = get(url, { agent: false, timeout: patienceMs }, (answer) => {
    answer.on('error', (error) => fail(error.message)).resume();
    answer.on('end', () => {
      if (answer.statusCode === 200) answered += 1;
      else fail(`status ${answer.statusCode}`);
    });
  });
  asked.on('timeout', () => asked.destroy(new Error(`no answer within ${patienceMs / 1000} s`)));
  asked.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
}

let due = performance.now();
let visits = 0;
setInterval(() => {
  for (; due <= performance.now(); due += 1000 / perSecond) {
    const page = pages[visits++ % pages.length];
    for (const balancer of balancers) visit(`${balancer}${page}`);
  }
}, 5);

function tell(): void {
  const number = (n: number) => n.toLocaleString('en');
  const all = [...failed.values()].reduce((sum, n) => sum + n, 0);
  process.stdout.write(`\n${number(answered + all)} requests, ${number(all)} failed\n`);
  for (const [why, n] of failed) process.stdout.write(`  ${number(n)}: ${why}\n`);
  process.exit(all === 0 ? 0 : 1);
}
process.on('SIGINT', tell).on('SIGTERM', tell);
process.stdout.write(`${perSecond} visitors a second to each balancer. Ctrl-C says how they fared.\n`);
