import { connect, type Socket } from 'node:net';

/** More than the statistics of 10,000 servers. */
const answerCharsMax = 64 * 1024 * 1024;
const prompt = '\n> ';
/** An open connection keeps a draining engine from ending, so one that nobody uses is closed. */
const idleMsMax = 1_000;

/** HAProxy's command line over its control socket: one connection, kept open while it is used, one question after another. */
export interface Cli {
  /**
   * The answers, one for each command. Rejects when they are not complete within `timeoutMs`; the connection is then
   * given up, because a late answer would be taken for the next command's. The engine may still do what it was asked.
   * Questions that still wait are asked on a new one.
   */
  askAll(commands: readonly string[], timeoutMs: number): Promise<readonly string[]>;
  ask(command: string, timeoutMs: number): Promise<string>;
  close(): void;
}

interface Question {
  readonly commands: readonly string[];
  readonly resolve: (answers: readonly string[]) => void;
  readonly reject: (error: Error) => void;
}

/** Connects at the first question, and again after the connection broke. Keeps the process alive only while a question is under way. */
export function openCli(path: string): Cli {
  let line: CliConnection | null = null;

  function send(question: Question): void {
    if (line === null || line.broken()) line = openConnection(path);
    line.send(question);
  }

  function askAll(commands: readonly string[], timeoutMs: number): Promise<readonly string[]> {
    return new Promise((resolve, reject) => {
      const late = () => {
        const waiting = line?.giveUp(question) ?? [];
        reject(new Error(`${path}: no answer to "${commands[0]}" within ${timeoutMs} ms`));
        for (const one of waiting) send(one);
      };
      const timer = setTimeout(late, timeoutMs);
      const question: Question = {
        commands,
        resolve: (answers) => {
          clearTimeout(timer);
          resolve(answers);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
      send(question);
    });
  }

  return {
    askAll,
    ask: async (command, timeoutMs) => (await askAll([command], timeoutMs))[0] ?? '',
    close() {
      line?.fail(new Error(`${path}: the control was closed`));
      line = null;
    },
  };
}

interface CliConnection {
  send(question: Question): void;
  /** Ends it: everything that waits is rejected. */
  fail(error: Error): void;
  /** Without this question. One that was asked takes the connection with it: returns those that were not asked yet. */
  giveUp(question: Question): readonly Question[];
  broken(): boolean;
}

function openConnection(path: string): CliConnection {
  const socket: Socket = connect(path);
  const questions: Question[] = [];
  let chunks: string[] = [];
  let chars = 0;
  let ready = false;
  let ended = false;
  let idle: NodeJS.Timeout | null = null;

  function fail(error: Error): void {
    if (ended) return;
    ended = true;
    if (idle) clearTimeout(idle);
    socket.destroy();
    for (const question of questions.splice(0)) question.reject(error);
  }

  function sendNext(): void {
    if (idle) clearTimeout(idle);
    const [question] = questions;
    if (question) {
      socket.ref();
      socket.write(question.commands.map((command) => `${command}\n`).join(''));
    } else {
      socket.unref();
      idle = setTimeout(() => fail(new Error('idle')), idleMsMax).unref();
    }
  }

  socket.setEncoding('utf8');
  socket.on('error', (error) => fail(error));
  socket.on('close', () => fail(new Error(`${path}: the engine closed the control connection`)));
  socket.on('connect', () => socket.write('prompt\n'));
  socket.on('data', (chunk: string) => {
    if (ready && questions.length === 0) return fail(new Error(`${path}: an answer that nobody asked for`));
    chunks.push(chunk);
    chars += chunk.length;
    if (chars > answerCharsMax) return fail(new Error(`${path}: an answer longer than ${answerCharsMax}`));
    // Each answer ends with the prompt, the last one with nothing behind it: one question is under way at a time.
    if (!chunk.endsWith(' ')) return;
    const text = chunks.join('');
    if (!text.endsWith(prompt)) return;
    const answers = text.split(prompt).slice(0, -1);
    if (ready && answers.length < (questions[0]?.commands.length ?? 0)) return;
    chunks = [];
    chars = 0;
    if (ready) questions.shift()?.resolve(answers);
    ready = true;
    sendNext();
  });
  return {
    fail,
    giveUp(question) {
      const at = questions.indexOf(question);
      if (at < 0) return [];
      questions.splice(at, 1);
      if (at > 0) return [];
      const waiting = questions.splice(0);
      fail(new Error(`${path}: given up`));
      return waiting;
    },
    broken: () => ended,
    send(question) {
      questions.push(question);
      if (ready && questions.length === 1) sendNext();
    },
  };
}
