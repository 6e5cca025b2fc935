import type { Page, ShownAlert, ShownEscalation } from '#alerting';
import type { AlertView, EscalationView, PageView, SilenceView } from '#contract';
import type { Alert, Silence } from '#events';

const iso = (at: number) => new Date(at).toISOString();

/** As Alertmanager shows it. One that fires has an end that is put off as long as it does. */
export function alertView(one: ShownAlert, goodUntil: number): AlertView {
  const { fingerprint, alert, updatedAt, policy, silences, causes } = one;
  return {
    fingerprint,
    ...wordsOf(alert),
    endsAt: iso(goodUntil),
    updatedAt: iso(updatedAt),
    receivers: policy === null ? [] : [{ name: policy }],
    status: {
      state: silences.length + causes.length > 0 ? 'suppressed' : 'active',
      silencedBy: silences,
      inhibitedBy: causes,
      mutedBy: [],
    },
  };
}

export function watchdogView(alert: Alert, fingerprint: string, now: number, goodUntil: number): AlertView {
  const status = { state: 'active', silencedBy: [], inhibitedBy: [], mutedBy: [] } as const;
  const times = { endsAt: iso(goodUntil), updatedAt: iso(now) };
  return { fingerprint, ...wordsOf(alert), ...times, receivers: [], status };
}

function wordsOf({ labels, annotations, startsAt, generatorURL }: Alert) {
  return { labels, annotations, startsAt: iso(startsAt), generatorURL };
}

export function silenceView(
  { id, matchers, startsAt, endsAt, createdBy, comment }: Silence,
  now: number,
): SilenceView {
  const state = endsAt <= now ? 'expired' : startsAt > now ? 'pending' : 'active';
  const times = { startsAt: iso(startsAt), endsAt: iso(endsAt), updatedAt: iso(startsAt) };
  return { id, status: { state }, matchers, ...times, createdBy, comment };
}

export function pageView({
  id,
  escalation,
  person,
  notifier,
  to,
  state,
  attempts,
  said,
  at,
}: Page): PageView {
  return { id, escalation, person, notifier, to, state, attempts, said, at };
}

export function escalationView(one: ShownEscalation): EscalationView {
  const { id, policy, group, beganAt, ended, ack, exhausted, alerts, turns } = one;
  const state = ended ? 'ended' : ack ? 'acknowledged' : exhausted ? 'exhausted' : 'open';
  return {
    id,
    policy,
    group,
    state,
    beganAt,
    endedAt: ended?.at ?? null,
    how: ended?.how ?? '',
    alerts: alerts.map(({ fingerprint, alert }) => ({
      fingerprint,
      name: alert.labels.alertname,
      summary: alert.annotations.summary ?? '',
    })),
    acknowledged: ack ? { by: ack.by, at: ack.at, until: ack.until, comment: ack.comment } : null,
    turns: turns.map(({ at, what, step, round, reason, pages, missing }) => ({
      at,
      what,
      step: step + 1,
      round: round + 1,
      reason,
      pages: pages.map(pageView),
      missing,
    })),
  };
}
