import { type ContractCase, get, type Shown } from '../case.ts';

const line = 'GET /x HTTP/1.1';

function shows(id: string, holds: string, what: Shown, served: boolean): ContractCase {
  return {
    id,
    holds,
    shows: what,
    client: [get('/x')],
    sees: served ? { status: [200], closed: false } : { status: [], closed: true },
    seen: served
      ? [{ line, headers: { 'x-ssl-client-dn': 'CN=anna', 'x-ssl-client-verify': 'SUCCESS' } }]
      : [],
  };
}

/** A listener that asks for certificates of one authority, with its revocation list. */
export const clientCertificates: readonly ContractCase[] = [
  shows(
    'certificate',
    'Who shows a certificate of the authority is served, and named to the server.',
    'staff',
    true,
  ),
  shows('certificate-revoked', 'Who shows one that is on the revocation list is not.', 'revoked', false),
  shows('certificate-stranger', 'Who shows one of another authority is not.', 'stranger', false),
  shows('certificate-missing', 'Who shows none is not.', 'nothing', false),
  {
    id: 'certificate-claimed',
    holds: 'No client says itself who it is.',
    shows: 'staff',
    client: [get('/x', 'X-SSL-Client-DN: CN=root', 'x_ssl_client_dn: CN=root', 'X-SSL-Client-Verify: NONE')],
    sees: { status: [200], closed: false },
    seen: [{ line, headers: { 'x-ssl-client-dn': 'CN=anna', 'x-ssl-client-verify': 'SUCCESS' } }],
  },
];
