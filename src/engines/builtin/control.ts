import { wireClient } from '#base';
import type { EngineControl, GenerationHandle, PublicSide } from '../engine.ts';
import { asEvidence, asLines, asServers } from './evidence.ts';

/** Each call's answer is read back from the state that it changed, so a call that resolves has had its effect. */
export function builtinControl(handle: GenerationHandle): EngineControl {
  const wire = wireClient(handle.control);
  const expect = async (call: string, input: unknown, expected: unknown, timeoutMs: number) => {
    const answer = await wire.call(call, input, timeoutMs);
    if (answer !== expected)
      throw new Error(`${call}: expected ${String(expected)}, it is ${String(answer)}`);
  };
  return {
    async state(timeoutMs): Promise<PublicSide> {
      return (await wire.call('state', null, timeoutMs)) === 'accepting' ? 'accepting' : 'parked';
    },
    park: (timeoutMs) => expect('park', null, 'parked', timeoutMs),
    resume: (timeoutMs) => expect('resume', null, 'accepting', timeoutMs),
    takeBack: (on, timeoutMs) => expect('takeBack', on, on, timeoutMs),
    net: (on, timeoutMs) => expect('net', on, on, timeoutMs),
    evidence: async (timeoutMs) => asEvidence(await wire.call('evidence', null, timeoutMs)),
    servers: async (timeoutMs) => asServers(await wire.call('servers', null, timeoutMs)),
    know: (down, timeoutMs) => expect('know', down, down.length, timeoutMs),
    ticketKeys: (keys, timeoutMs) => expect('ticketKeys', keys, true, timeoutMs),
    errors: async (linesMax, timeoutMs) => asLines(await wire.call('errors', linesMax, timeoutMs)),
    drain: (timeoutMs) => expect('drain', null, true, timeoutMs),
    close: () => wire.close(),
  };
}
