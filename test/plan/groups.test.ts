import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { liftOwn } from '#dialects';
import { causeText, groupsOf, planOf } from '#plan';

const files = { find: () => [], read: () => null, environment: () => null };
const planned = (dialect: 'haproxy' | 'nginx', before: string, after: string) => {
  const text = (name: string, said: string) => ({
    file: name,
    dialect,
    meaning: liftOwn({ file: name, folder: '/', text: said }, dialect, files),
  });
  return planOf(text('a', before), text('b', after), { traffic: null, policies: [] });
};
const told = (dialect: 'haproxy' | 'nginx', before: string, after: string) =>
  groupsOf(planned(dialect, before, after).differences).map(
    ({ cause, shown, more }) => `${causeText(cause)}: ${shown.length} and ${more}`,
  );

const shop = (rules: readonly string[]) => `frontend www
  mode http
  bind :80
${rules.map((line) => `  ${line}\n`).join('')}${['web', 'api', 'blog'].map((name, at) => `backend ${name}\n  mode http\n  server s 10.0.0.${at}:80\n`).join('')}`;

describe('differences by their cause', () => {
  const deny = 'http-request deny if { path_beg /admin }';
  const [api, blog, rest] = [
    'use_backend api if { hdr(host) api.example }',
    'use_backend blog if { hdr(host) blog.example }',
    'default_backend web',
  ];

  it('a rule that is gone is one cause, whatever its requests come to now', () => {
    assert.deepEqual(told('haproxy', shop([deny, api, blog, rest]), shop([api, blog, rest])), [
      'a:4 http-request deny if { path_beg /admin } is gone: 3 and 0',
    ]);
    assert.deepEqual(told('haproxy', shop([api, blog, rest]), shop([deny, api, blog, rest])), [
      'b:4 http-request deny if { path_beg /admin } is new: 3 and 0',
    ]);
  });

  it('rules in the same words that take other requests, do otherwise, or have changed places', () => {
    const acl = (path: string) => [`acl adm path_beg ${path}`, 'http-request deny if adm', api, rest];
    assert.deepEqual(told('haproxy', shop(acl('/admin')), shop(acl('/adm'))), [
      'b:5 http-request deny if adm takes other requests: 2 and 0',
    ]);
    assert.deepEqual(told('haproxy', shop([rest]), shop([rest]).replace('10.0.0.0', '10.0.0.9')), [
      'b:4 default_backend web does otherwise: 1 and 0',
    ]);
    const css = 'use_backend blog if { path_end .css }';
    assert.deepEqual(told('haproxy', shop([css, api, rest]), shop([api, css, rest])), [
      'b:4 use_backend api if { hdr(host) api.example } comes before use_backend blog if { path_end .css }: 1 and 0',
    ]);
  });

  it('what differs only in what is not known is told once', () => {
    const conf = (more: string) => `http {
  upstream php { server 10.0.0.1:80; }
  server {
    listen 80;
    root /var/www;
    index index.php index.html;
    ${more}
    location / { try_files $uri $uri/ /index.php?$args; }
    location ~ \\.php$ { proxy_pass http://php; }
  }
}
`;
    const { differences } = planned('nginx', conf('location ~ /\\. { deny all; }'), conf(''));
    const groups = groupsOf(differences);
    assert.deepEqual(
      groups.map(({ cause }) => causeText(cause)),
      ['a:7 location ~ /\\. is gone'],
    );
    const [{ shown, more } = { shown: [], more: 0 }] = groups;
    assert.deepEqual(shown.map(({ after }) => (after.kind === 'pool' ? after.pool : after.kind)).sort(), [
      'answer',
      'php',
    ]);
    assert.equal(shown.length + more, differences.length);
  });
});
