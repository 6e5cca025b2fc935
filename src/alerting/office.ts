import { timingSafeEqual } from 'node:crypto';
import { type Clock, Failure, type Log, secretReader } from '#base';
import type { Alert, Journal } from '#events';
import { poster, resolver } from '#probe';
import { startBeacons } from './beacons.ts';
import { type AlertDesk, alertDesk } from './desk.ts';
import type { IncomingAlert, Taken } from './intake.ts';
import { alertKeeper } from './keeper.ts';
import { senderOf, spacingMs } from './notifiers/index.ts';
import type { NotifierPorts } from './notifiers/notifier.ts';
import type { OnCall } from './settings.ts';

/** All of alerting at work, on one journal. */
export interface AlertOffice extends AlertDesk {
  take(alerts: readonly IncomingAlert[], by: string): Promise<Taken>;
  stop(): Promise<void>;
}

export interface OfficeParts {
  readonly site: string;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: Log;
  readonly env: NodeJS.ProcessEnv;
  readonly random: () => number;
  readonly settings: () => OnCall | null;
  /** Something of ours that is amiss and stands in no journal, such as a file that cannot be read. */
  readonly trouble: () => readonly Alert[];
}

const troubleEveryMs = 2_000;

export function alertOffice(parts: OfficeParts): AlertOffice {
  const { site, journal, clock, log, random, settings } = parts;
  const ports = portsFor(parts.env);
  const deliver = async (
    name: string,
    message: Parameters<ReturnType<typeof senderOf>>[0],
    signal: AbortSignal,
  ) => {
    const known = settings();
    const notifier = known?.notifiers.find((one) => one.name === name);
    if (!known || !notifier) throw new Failure('HF605', `oncall.yaml has no notifier "${name}" any more`);
    return senderOf(notifier.how, ports(known))(message, signal);
  };
  const keeper = alertKeeper({
    site,
    journal,
    clock,
    log,
    random,
    settings,
    deliver,
    spacingMs(name) {
      const how = settings()?.notifiers.find((one) => one.name === name)?.how;
      return how ? spacingMs[how.kind] : 0;
    },
  });
  const endBeacons = startBeacons({ site, journal, keeper, clock, log, settings, ports });
  const ending = new AbortController();
  const tellingTrouble = tellTrouble();

  async function tellTrouble(): Promise<void> {
    let told: readonly Alert[] = [];
    while (!ending.signal.aborted) {
      const now = parts.trouble();
      const gone = told.filter(({ labels }) => !now.some((one) => one.labels.alertname === labels.alertname));
      told = now;
      const all = [
        ...now.map((alert) => ({ alert, resolved: false })),
        ...gone.map((alert) => ({ alert, resolved: true })),
      ];
      if (all.length > 0) await keeper.intake.take(all, 'controller').catch(() => {});
      await clock.sleep(troubleEveryMs, ending.signal).catch(() => {});
    }
  }

  return {
    ...alertDesk({ site, keeper, clock, settings, deliver }),
    take: (alerts, by) => keeper.intake.take(alerts, by),
    async stop() {
      ending.abort();
      await Promise.all([keeper.stop(), endBeacons(), tellingTrouble]);
    },
  };
}

function portsFor(env: NodeJS.ProcessEnv): (settings: OnCall) => NotifierPorts {
  const secret = secretReader(env);
  return ({ allowedHosts }) => {
    const resolve = resolver(allowedHosts);
    return { post: poster(resolve), resolve, secret, env };
  };
}

/** Whether it is the token that lets other systems hand in alerts. One that cannot be read lets nobody in. */
export function isInboundToken(settings: OnCall | null, env: NodeJS.ProcessEnv, given: string): boolean {
  if (!settings?.inbound) return false;
  try {
    const [wanted, got] = [secretReader(env)(settings.inbound.token), given].map((text) => Buffer.from(text));
    return (
      wanted !== undefined &&
      got !== undefined &&
      wanted.length === got.length &&
      timingSafeEqual(wanted, got)
    );
  } catch {
    return false;
  }
}
