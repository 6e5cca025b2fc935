/** People who visit a site without end, as one test needs them: some requests at a time, new connections. */
import { get } from 'node:http';

export interface Visitors {
  answered(): number;
  stop(): Promise<void>;
}

const pauseMs = 10;

/** @param url of what they ask for, each on a connection of its own */
export function visit(url: string, atOnce = 2): Visitors {
  let answered = 0;
  let going = true;
  const visitor = async () => {
    while (going) {
      if (await askOnce(url)) answered += 1;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  };
  const all = Array.from({ length: atOnce }, visitor);
  return {
    answered: () => answered,
    async stop() {
      going = false;
      await Promise.all(all);
    },
  };
}

function askOnce(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    get(url, { agent: false }, (answer) => {
      answer.resume().on('close', () => resolve(true));
    }).on('error', () => resolve(false));
  });
}
