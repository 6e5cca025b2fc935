import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect } from 'node:tls';
import { readSite } from '#dialects';
import { type EngineName, engineNames, siteHash } from '#model';
import { selfSigned } from '../world/certificate.ts';
import { type LoadPlan, startLoadProcess, usualLoad } from '../world/load.ts';
import { type Origin, startOrigin } from '../world/origins.ts';
import { patientCheck, shopText } from '../world/shop.ts';
import { freePort, type Stack, startStack, textOf, until } from '../world/stack.ts';

/** A certificate is changed under load, on each engine: connections of before go on, handshakes of after show the new one. */
const kinds = ['new', 'kept', 'h2'] as const satisfies readonly LoadPlan['kind'][];
const requestsMore = 10;
const patientMs = 120_000;

for (const engine of engineNames satisfies readonly EngineName[])
  describe(`a certificate is changed under ${engine}`, () => {
    let origin: Origin;
    let stack: Stack;
    let https: number;
    let http: number;

    before(async () => {
      origin = await startOrigin({ name: 'web' });
      [http, https] = [await freePort(), await freePort()];
      stack = await startStack({ siteText, engine });
    });
    after(async () => {
      await stack.stop();
      await origin.close();
    });

    const siteText = (folder: string) => {
      const servers = [{ name: 'web', port: origin.port }];
      return shopText({ http, https, engine, servers, healthCheck: patientCheck }, folder);
    };

    /** The same text, which is another one by what its files hold now. */
    const renewed = () => {
      const written = textOf(siteText(stack.folder), stack.folder);
      const { site } = readSite(written);
      assert.ok(site);
      const [cert, key] = [join(stack.folder, 'cert.pem'), join(stack.folder, 'key.pem')];
      const pair = selfSigned('shop.example');
      writeFileSync(cert, pair.cert);
      writeFileSync(key, pair.key);
      return { ...written, hash: siteHash(site, { [cert]: pair.cert }) };
    };

    const changed = async (change: string) => {
      try {
        await stack.call('candidate', { site: renewed(), change }, patientMs);
        await stack.call('expose', { change, share: 1, leaseMs: 60_000, requestsMax: null }, patientMs);
        await stack.call('promote', { change }, patientMs);
        return true;
      } catch (error) {
        await stack.call('rollback', { change, reason: 'tried again' }, patientMs).catch(() => {});
        throw error;
      }
    };

    const shown = () =>
      new Promise<string>((resolve, reject) => {
        const options = {
          host: '127.0.0.1',
          port: https,
          servername: 'shop.example',
          rejectUnauthorized: false,
        };
        const socket = connect(options, () => {
          resolve(socket.getPeerCertificate().fingerprint256);
          socket.destroy();
        });
        socket.on('error', reject);
      });

    test('no request fails, on new connections and on open ones', async () => {
      const loads = await Promise.all(
        kinds.map((kind) =>
          startLoadProcess({
            ...usualLoad,
            ...{ kind, tls: true, port: https, hostname: 'shop.example' },
            ...{ ratePerSecond: 30, connections: 4, timeoutMs: 30_000 },
          }),
        ),
      );
      const more = async () => {
        for (const load of loads) {
          const enough = (await load.counts()).ended + requestsMore;
          await until('more requests', async () => (await load.counts()).ended >= enough, patientMs);
        }
      };
      try {
        await more();
        const first = await shown();
        // On a machine that is out of breath the guard may take it back, which must cost nothing either.
        let tries = 0;
        await until(
          'the change',
          async () => {
            tries += 1;
            return await changed(`renewed-${tries}`);
          },
          patientMs,
        );
        await until('the new certificate', async () => (await shown()) !== first);
        await more();
        for (const load of loads) {
          const { records } = await load.stop();
          // Not processed, says HTTP/2, and safe to send again.
          const failed = records.filter(({ outcome }) => outcome !== 'ok' && outcome !== 'refused stream');
          assert.deepEqual(failed, []);
        }
      } finally {
        for (const load of loads) load.kill();
      }
    });
  });
