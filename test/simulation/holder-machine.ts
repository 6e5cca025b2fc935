import type { ProcessIdentity } from '#base';
import type { Held } from '../../src/agent/holder/held.ts';
import type { HolderMachine } from '../../src/agent/holder/machine.ts';
import type { GenerationSpec } from '../../src/agent/holder/protocol.ts';
import { sideDriver } from '../../src/agent/holder/side.ts';
import type { HolderState } from '../../src/agent/holder/state.ts';
import type { Random } from '../world/random.ts';
import { type PublicSocket, SimulatedEngine } from './engine.ts';
import type { Scheduler, SimulatedProcess } from './scheduler.ts';

export interface MachineWorld {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly socket: PublicSocket;
  /** By generation; they outlive the holder. */
  readonly engines: Map<number, SimulatedEngine>;
  /** What the holder keeps of itself; a kill -9 does not lose it. */
  readonly disk: { state: HolderState };
  /** Planted: a generation that says that it is parked, and is not. */
  readonly parksNobody: number | null;
}

/** A machine as one holder has it: once its process is dead, it does nothing any more. */
export function simulatedMachine(process: SimulatedProcess, world: MachineWorld): HolderMachine {
  const held = (given: GenerationSpec, engine: SimulatedEngine, side: 'parked' | 'unknown'): Held => {
    const control = engine.controlFor(process);
    const asked = given.generation === world.parksNobody ? { ...control, park: async () => {} } : control;
    return {
      spec: given,
      process: { pid: engine.pid, startTicks: '1' },
      control,
      side: sideDriver(asked, side, process.clock),
      role: given.role,
      drainMs: 2_000,
      begin: () => {},
      kill: () => {
        if (!process.isDead) engine.die('SIGKILL');
      },
    };
  };
  const of = ({ pid }: ProcessIdentity) => [...world.engines.values()].find((engine) => engine.pid === pid);
  return {
    pid: 1,
    open: () => 3,
    inode: () => 'socket',
    takeDescriptor: () => 3,
    allowBeside: () => {},
    steer: () => {},
    start: (given, _fds, { ended }) => {
      const { generation } = given;
      const engine = new SimulatedEngine({ generation, pid: 100 + generation }, world);
      engine.ended = (how) => process.hears(() => ended(how));
      world.engines.set(generation, engine);
      return held(given, engine, 'parked');
    },
    find: (given, identity) => {
      const engine = of(identity);
      return engine?.isAlive ? held(given, engine, 'unknown') : null;
    },
    isAlive: (identity) => of(identity)?.isAlive ?? false,
    killGroup: (leader) => of(leader)?.die('SIGKILL'),
    membersOf: () => [],
    endRemains: ({ over }) => over(),
    link: () => {},
    load: () => world.disk.state,
    save: (state) => {
      if (!process.isDead) world.disk.state = JSON.parse(JSON.stringify(state)) as HolderState;
      return true;
    },
    forget: () => {},
  };
}

/** What a holder is told to start. */
export function generationSpec(generation: number, role: GenerationSpec['role']): GenerationSpec {
  return {
    generation,
    engine: 'haproxy',
    command: { file: 'haproxy', args: [], env: {} },
    identity: null,
    folder: `/run/g${generation}`,
    control: `/run/g${generation}/control.sock`,
    listeners: [{ host: '*', port: 80 }],
    role,
    siteHash: `${generation}`,
    change: role === 'candidate' ? 'c1' : null,
  };
}
