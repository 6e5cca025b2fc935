import { posix } from 'node:path';
import type { Place } from '#base';
import type { OwnCertificate } from '#model';
import type { Directive } from './directives.ts';
import { listensOf } from './listens.ts';
import { named } from './texts.ts';

/** Pairs of servers that listen with TLS, in the order in which a server names them; its own, or those of `http`. */
export function certificatesOf(
  directives: readonly Directive[],
  folder: string,
  placeOf: (directive: Directive) => Place,
): readonly OwnCertificate[] {
  const outer = named(directives, 'http').flatMap(({ block }) => block ?? []);
  const servers = new Set(
    listensOf(directives)
      .filter(({ socket }) => socket?.tls)
      .map(({ server }) => server),
  );
  return [...servers].flatMap((server) => {
    const own = named(server.block, 'ssl_certificate').length > 0 ? (server.block ?? []) : outer;
    const keys = named(own, 'ssl_certificate_key');
    const names = named(server.block, 'server_name')
      .flatMap(({ args }) => args.map(({ value }) => value))
      .filter((name) => /^(?:\*\.|\.)?[\w-]+(?:\.[\w-]+)+$/.test(name));
    return named(own, 'ssl_certificate').flatMap((directive, index): OwnCertificate[] => {
      const [certificate, key] = [directive, keys[index]].map((one) => one?.args[0]?.value ?? '');
      // In the text itself, of a device, or known only with a request.
      if (!isFile(certificate) || !isFile(key)) return [];
      const place = placeOf(directive);
      return [
        { certificate: posix.resolve(folder, certificate), key: posix.resolve(folder, key), names, place },
      ];
    });
  });
}

function isFile(name: string | undefined): name is string {
  return name !== undefined && name !== '' && !/^(?:data|engine|store):|\$/.test(name);
}
