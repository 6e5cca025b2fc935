import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { eachLine, messageOf } from '#base';
import { commandsIn } from './commands.ts';

/** HAProxy's own words for it. */
const welcomeToPrompt = '\n> ';
const idleMsMax = 60_000;

type RunCommand = (command: string) => Promise<string>;

/**
 * Speaks as HAProxy's statistics socket does: without `prompt` one line is answered and the connection ends; with it,
 * it goes on. Each answer ends with an empty line. Scripts that spoke to the engine itself speak to this unchanged.
 */
export function serveAdmin(path: string, run: RunCommand): Server {
  rmSync(path, { force: true });
  const server = adminServer(run);
  const umask = process.umask(0o117);
  server.listen(path, () => process.umask(umask));
  return server;
}

/** The same, not listening yet. */
export function adminServer(run: RunCommand): Server {
  return createServer({ allowHalfOpen: true }, (socket) => converse(socket, run));
}

function converse(socket: Socket, run: RunCommand): void {
  let isInteractive = false;
  let ended = false;
  let turn = Promise.resolve();
  socket.setTimeout(idleMsMax, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  socket.on('end', () => {
    void turn.then(() => socket.end());
  });

  async function answer(line: string): Promise<void> {
    if (ended) return;
    for (const command of commandsIn(line)) {
      if (command === 'quit') ended = true;
      else if (command === 'prompt') isInteractive = !isInteractive;
      else socket.write(`${withNewline(await run(command).catch(messageOf))}\n`);
    }
    if (isInteractive && !ended) socket.write(welcomeToPrompt.slice(1));
    else ended = true;
    if (ended) socket.end();
  }

  eachLine(socket, (line) => {
    turn = turn.then(() => answer(line));
  });
}

function withNewline(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}
