import { connect } from 'node:net';

/** Nobody took the connection up in time. */
export class Silence extends Error {}

/** One question over its control socket, on a connection of its own: whichever worker answers. */
export function askNginx(socketPath: string, path: string, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    let text = '';
    const fail = (error: Error) => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    const timer = setTimeout(
      () => fail(new Silence(`${socketPath}: no answer to ${path} within ${timeoutMs} ms`)),
      timeoutMs,
    );
    socket.setEncoding('latin1');
    socket.on('error', fail);
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('end', () => {
      clearTimeout(timer);
      const [head = '', body = ''] = text.split('\r\n\r\n');
      if (head.startsWith('HTTP/1.1 200')) resolve(body);
      else reject(new Error(`${socketPath}: ${path} was answered with "${head.split('\r\n')[0]}"`));
    });
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  });
}
