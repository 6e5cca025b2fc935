/** http-proxy-3 as its README sets it up, with kept-alive connections to the servers: `http-proxy.ts PORT SERVERPORT...`. */
import { Agent, createServer } from 'node:http';
import { createProxyServer } from 'http-proxy-3';

const [port = 0, ...servers] = process.argv.slice(2).map(Number);
const agent = new Agent({ keepAlive: true, maxSockets: 256 });
const proxy = createProxyServer({ agent, xfwd: true });
let turn = 0;
createServer((request, response) => {
  turn = (turn + 1) % servers.length;
  proxy.web(request, response, { target: `http://127.0.0.1:${servers[turn]}` }, (error) => {
    response.writeHead(502).end(error.message);
  });
}).listen(port, '127.0.0.1');
