import { readdirSync, readFileSync, statfsSync } from 'node:fs';
import { childrenOf } from '#base';
import type { HostFigures } from '#events';

/** The kernel's clock of processor times. */
const clockTicksPerSecond = 100;
const descriptorsEvery = 5;

interface Totals {
  readonly atMs: number;
  readonly busy: number;
  readonly all: number;
  readonly overflows: number | null;
  readonly engineTicks: number | null;
}

/** The machine that a balancer runs on, as far as it tells. Each look costs a millisecond; null for what it does not tell. */
export function hostWatch(folder: string): { look(enginePid: number, atMs: number): HostFigures } {
  let before: Totals | null = null;
  let looks = 0;
  let descriptorsShare: number | null = null;
  return {
    look(enginePid, atMs) {
      const family = [enginePid, ...childrenOf(enginePid)];
      const now = { atMs, ...processorTimes(), overflows: listenOverflows(), engineTicks: ticksOf(family) };
      const was = before ?? now;
      before = now;
      if (looks % descriptorsEvery === 0) descriptorsShare = fullest(family);
      looks += 1;
      const all = now.all - was.all;
      return {
        cpuShare: all > 0 ? (now.busy - was.busy) / all : null,
        memoryShare: memoryShare(),
        diskShare: diskShare(folder),
        descriptorsShare,
        connectionTrackingShare: connectionTrackingShare(),
        listenOverflows:
          now.overflows === null || was.overflows === null
            ? null
            : Math.max(0, now.overflows - was.overflows),
        engineCpuShare: engineShare(now, was),
      };
    },
  };
}

function engineShare(now: Totals, was: Totals): number | null {
  const seconds = (now.atMs - was.atMs) / 1_000;
  if (now.engineTicks === null || was.engineTicks === null || seconds <= 0) return null;
  return Math.max(0, (now.engineTicks - was.engineTicks) / clockTicksPerSecond / seconds);
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

function processorTimes(): { readonly busy: number; readonly all: number } {
  const fields = (read('/proc/stat')?.split('\n')[0] ?? '').split(/\s+/).slice(1, 9).map(Number);
  const all = fields.reduce((sum, field) => sum + field, 0);
  const [, , , idle = 0, waiting = 0] = fields;
  return { busy: all - idle - waiting, all };
}

function memoryShare(): number | null {
  const text = read('/proc/meminfo') ?? '';
  const of = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? Number.NaN);
  const share = 1 - of('MemAvailable') / of('MemTotal');
  return Number.isFinite(share) ? share : null;
}

function diskShare(folder: string): number | null {
  try {
    const { blocks, bavail, bfree } = statfsSync(folder);
    const used = blocks - bfree;
    return used + bavail > 0 ? used / (used + bavail) : null;
  } catch {
    return null;
  }
}

function connectionTrackingShare(): number | null {
  const count = read('/proc/sys/net/netfilter/nf_conntrack_count');
  const max = read('/proc/sys/net/netfilter/nf_conntrack_max');
  return count === null || max === null || Number(max) <= 0 ? null : Number(count) / Number(max);
}

function listenOverflows(): number | null {
  const lines = (read('/proc/net/netstat') ?? '').split('\n').filter((line) => line.startsWith('TcpExt:'));
  const at = (lines[0] ?? '').split(' ').indexOf('ListenOverflows');
  const value = Number((lines[1] ?? '').split(' ')[at]);
  return at > 0 && Number.isFinite(value) ? value : null;
}

function ticksOf(pids: readonly number[]): number | null {
  const ticks = pids.flatMap((pid) => {
    const text = read(`/proc/${pid}/stat`);
    if (text === null) return [];
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return [Number(fields[11]) + Number(fields[12])];
  });
  return ticks.length === 0 ? null : ticks.reduce((sum, one) => sum + one, 0);
}

/** Of the process that is nearest to its own limit. */
function fullest(pids: readonly number[]): number | null {
  const shares = pids.flatMap((pid) => {
    const limit = Number(/^Max open files\s+(\d+)/m.exec(read(`/proc/${pid}/limits`) ?? '')?.[1] ?? 0);
    try {
      return limit > 0 ? [readdirSync(`/proc/${pid}/fd`).length / limit] : [];
    } catch {
      return [];
    }
  });
  return shares.length === 0 ? null : Math.max(...shares);
}
