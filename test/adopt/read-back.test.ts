import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readBack } from '../../src/agent/admin/read-back.ts';

const table = (adminState: number) => `1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight
3 web 1 one 127.0.0.1 2 ${adminState} 1
`;
/** An engine that answers this to whatever it is asked. */
const says = (answer: string) => async () => answer;

const cases: readonly (readonly [command: string, answer: string, instead: RegExp | null])[] = [
  ['disable server web/one', table(1), null],
  ['disable server web/one', table(0), /web\/one is not disable/],
  ['enable server web/one', table(0), null],
  ['enable server web/one', table(1), /is not enable/],
  ['set server web/one state drain', table(8), null],
  ['set server web/one state drain', table(1), /is not drain/],
  ['set  server web/one  state maint', table(1), null],
  ['set server web/two state maint', table(1), /web\/two is not to be found/],
  ['set server web/one weight 7', '7 (initial 1)\n', null],
  ['set weight web/one 7', '1 (initial 1)\n', /the weight of web\/one is 1 \(initial 1\)/],
  ['set server web/one weight 50%', '50 (initial 100)\n', null],
  ['set server web/one weight 50%', '100 (initial 100)\n', /the weight of web\/one is 100/],
  ['set server web/one weight 7', 'No such server.\n', /No such server/],
  ['clear counters all', '', null],
];

for (const [command, answer, instead] of cases)
  test(`${command}, then ${answer.split('\n').at(-2) || 'nothing'}: ${instead ? 'not so' : 'so'}`, async () => {
    const said = await readBack(says(answer), command);
    if (instead) assert.match(said ?? '', instead);
    else assert.equal(said, null);
  });
