import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createReportForm, type ReportPages } from '#api';
import { Failure } from '#base';
import type { CustomerReport } from '#events';
import { reportPage } from '#web';

type Input = Omit<CustomerReport, 'report' | 'client'>;

const pages: ReportPages = {
  form: (known) => reportPage('shop <1>', known, { kind: 'form' }),
  wrong: (known, why) => reportPage('shop', known, { kind: 'wrong', why }),
  thanks: (known, report) => reportPage('shop', known, { kind: 'thanks', report }),
};

function form(take: (input: Input) => void = () => {}, troubled = false) {
  const taken: Input[] = [];
  const app = createReportForm(
    {
      troubled: () => troubled,
      async report(_by, _sender, input) {
        take(input);
        taken.push(input);
        return `rep-${taken.length}`;
      },
    },
    pages,
    () => '192.0.2.7',
  );
  const post = (fields: Record<string, string>) =>
    app.request('/', { method: 'POST', body: new URLSearchParams(fields) });
  return { app, post, taken };
}

test('the form works without scripts, loads nothing, and shows what is known', async () => {
  const { app } = form(undefined, true);
  const page = await app.request('/');
  const text = await page.text();
  assert.match(page.headers.get('content-security-policy') ?? '', /default-src 'none'/);
  assert.match(text, /shop &lt;1&gt;/);
  assert.match(text, /We know of a problem right now/);
  assert.doesNotMatch(text, /<script|<link|src=/);
});

test('a report comes in without what may name a person in its address, and without control characters', async () => {
  const { post, taken } = form();
  const response = await post({
    sees: 'error',
    status: '503',
    url: 'https://me:secret@shop.example/cart?session=12#x',
    said: 'nothing\u0007 works\r\n<b>at all</b>\u202e',
  });
  assert.equal(response.status, 202);
  assert.match(await response.text(), /rep-1/);
  assert.deepEqual(taken, [
    {
      sees: 'error',
      status: 503,
      since: null,
      url: 'https://shop.example/cart',
      said: 'nothing works <b>at all</b>',
      ticket: '',
      via: 'form',
    },
  ]);
});

test('empty fields are as good as not there', async () => {
  const { post, taken } = form();
  assert.equal((await post({ sees: 'slow', status: '', url: '', said: '' })).status, 202);
  assert.equal(taken[0]?.sees, 'slow');
  assert.equal(taken[0]?.status, null);
});

test('what is wrong is said in the form, and nothing is taken', async () => {
  const { post, taken } = form();
  const wrong: Record<string, string>[] = [
    { sees: 'nothing' },
    { sees: 'error', status: '9' },
    { sees: 'error', said: 'x'.repeat(1_001) },
  ];
  for (const fields of wrong) {
    const response = await post(fields);
    assert.equal(response.status, 400);
    assert.match(await response.text(), /Please look at this again[\s\S]*<form/);
  }
  assert.deepEqual(taken, []);
});

test('who sends too many is told so, and a journal that cannot be written is no fault of the customer', async () => {
  const many = form(() => {
    throw new Failure('HF406', 'you have reported this just now', 'We know of it.');
  });
  const refused = await many.post({ sees: 'error' });
  assert.equal(refused.status, 429);
  assert.match(await refused.text(), /You have reported this just now\. We know of it\./);
  const full = form(() => {
    throw new Failure('HF203', 'the journal cannot be written');
  });
  const failed = await full.post({ sees: 'error' });
  assert.equal(failed.status, 503);
  assert.doesNotMatch(await failed.text(), /journal/);
});

test('the same as JSON; nothing else of the API is there', async () => {
  const { app, taken } = form();
  const send = (body: string) =>
    app.request('/reports', { method: 'POST', body, headers: { 'content-type': 'application/json' } });
  const answer = await send(JSON.stringify({ sees: 'unreachable', said: 'no' }));
  assert.equal(answer.status, 202);
  assert.deepEqual(await answer.json(), { report: 'rep-1' });
  assert.equal(taken[0]?.via, 'api');
  assert.equal((await send('{')).status, 400);
  assert.equal((await send(JSON.stringify({ sees: 'error', by: 'person:root' }))).status, 400);
  assert.equal((await send(JSON.stringify({ said: 'x'.repeat(20_000) }))).status, 413);
  for (const path of ['/v1/status', '/v1/reports', '/v1/journal', '/reports'])
    assert.equal((await app.request(path)).status, 404);
});
