import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchesHash } from '../../src/engines/builtin/process/sha-crypt.ts';

/** What `openssl passwd` and crypt(3) printed. */
const hashes: readonly (readonly [password: string, hash: string])[] = [
  ['secret', '$5$abcdefgh$gruCpC7VkOTspMQTTSAR8mtlO9Upms.fwqE5y16JVM.'],
  [
    'pass word:é',
    '$6$Zz./9$iBh2KJunrhbHcLy6c1ppX4OGqMefrutT6fwcc3KhH8niyfqnACcopaHToqnyzV974OTS/YRGpoA2sBz2hzfI10',
  ],
  ['Hello world!', '$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5'],
  [
    'Hello world!',
    '$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1',
  ],
  ['Hello world!', '$5$rounds=10000$saltstringsaltst$3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA'],
];

for (const [password, hash] of hashes)
  test(hash.slice(0, 30), async () => {
    assert.equal(await matchesHash(password, hash), true);
    assert.equal(await matchesHash(`${password}.`, hash), false);
    assert.equal(await matchesHash('', hash), false);
  });

test('what is no such hash matches nothing', async () => {
  for (const hash of ['', 'secret', '$1$salt$x', '$6$salt', '$6$salt$'])
    assert.equal(await matchesHash('secret', hash), false);
});
