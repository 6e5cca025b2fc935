/**
 * Proxies for Node as their READMEs set them up, with kept-alive connections to the servers:
 * `node-proxy.js http-proxy-3|fast-proxy PORT TLSPORT BUNDLE SERVERPORT...`.
 */
import { readFileSync } from 'node:fs';
import { Agent, createServer } from 'node:http';
import { createServer as createTls } from 'node:https';

const [kind, port, tlsPort, bundle, ...servers] = process.argv.slice(2);
const bases = servers.map((server) => `http://127.0.0.1:${server}`);
let turn = 0;
const next = () => {
  turn = (turn + 1) % bases.length;
  return turn;
};

const kinds = {
  async 'http-proxy-3'() {
    const { createProxyServer } = await import('http-proxy-3');
    const proxy = createProxyServer({ agent: new Agent({ keepAlive: true, maxSockets: 256 }), xfwd: true });
    return (request, response) => {
      proxy.web(request, response, { target: bases[next()] }, (error) => {
        response.writeHead(502).end(error.message);
      });
    };
  },
  async 'fast-proxy'() {
    const { default: fastProxy } = await import('fast-proxy');
    const proxies = bases.map(
      (base) => fastProxy({ base, undici: { connections: 64, pipelining: 1 } }).proxy,
    );
    return (request, response) => proxies[next()](request, response, request.url, {});
  },
};

const handle = await kinds[kind]();
const pem = readFileSync(bundle);
createTls({ cert: pem, key: pem }, handle).listen(Number(tlsPort), '127.0.0.1');
createServer(handle).listen(Number(port), '127.0.0.1');
