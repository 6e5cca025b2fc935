import type { ChangeView, Progress } from '#contract';
import type { GateReport } from '#events';
import type { Context } from './command.ts';
import { number } from './texts.ts';

const gateWidth = 13;
const evidenceLinesMax = 20;

/** A change's progress for people: one line a gate, evidence under a refusal, one live line under the canary. */
export interface ProgressPrinter {
  print(line: Progress): void;
}

export function progressPrinter(context: Context, proposed: ChangeView): ProgressPrinter {
  const { say, paint, io } = context;
  /** After a restart of the controller lines come again. */
  const said = new Set<string>();
  const live = liveLine(context);
  say(
    `${paint.bold(proposed.file)}: change ${proposed.id}${proposed.force ? `, forced: ${proposed.reason}` : ''}`,
  );

  return {
    print(line) {
      if (line.kind === 'canary') {
        const step = `${line.balancer} at ${Math.round(line.share * 100)} %`;
        live.show(step, `${step}: ${line.line}`);
        return;
      }
      const key = JSON.stringify(line);
      if (said.has(key)) return;
      said.add(key);
      live.clear();
      if (line.kind === 'gate started' && io.tty) live.show('', `${line.gate} ...`);
      if (line.kind === 'gate') for (const text of gateLines(line.report, context)) say(text);
      if (line.kind === 'state' && line.state === 'gated') say(paint.dim(`  gated: ${line.why}`));
      if (line.kind === 'end') for (const text of endLines(line.change, context)) say(text);
    },
  };
}

/** On a terminal one line, rewritten in place; elsewhere the last words of each step, as a line of their own. */
function liveLine({ io, json, say }: Context) {
  let shown: { readonly step: string; readonly text: string } | null = null;
  const clear = () => {
    if (!shown || json) return;
    if (io.tty) io.out('\r\u001b[K');
    else say(`    ${shown.text}`);
    shown = null;
  };
  return {
    clear,
    show(step: string, text: string) {
      if (json) return;
      if (shown && shown.step !== step) clear();
      shown = { step, text };
      if (io.tty) io.out(`\r\u001b[K    ${text.slice(0, Math.max(20, io.columns - 6))}`);
    },
  };
}

export function gateLines(report: GateReport, { paint }: Pick<Context, 'paint'>): readonly string[] {
  const { gate, verdict, forced, summary, evidence, tookMs } = report;
  const mark =
    verdict === 'passed' ? paint.good('✔') : verdict === 'refused' ? paint.bad('✖') : paint.warn('?');
  const line = `  ${mark} ${gate.padEnd(gateWidth)} ${summary} ${paint.dim(`(${number(Math.round(tookMs))} ms)`)}`;
  if (verdict === 'passed') return [line];
  const left = evidence.length - evidenceLinesMax;
  return [
    line,
    ...evidence.slice(0, evidenceLinesMax).map((text) => `      ${text}`),
    ...(left > 0 ? [`      and ${left} more, see --json`] : []),
    ...remedies(report).map((text) => `      ${paint.bold(text)}`),
    ...(forced ? [`      ${paint.warn('passed because it was forced')}`] : []),
  ];
}

function remedies({ diagnostics }: GateReport): readonly string[] {
  return [
    ...new Set(diagnostics.filter(({ remedy }) => remedy).map(({ code, remedy }) => `${code}: ${remedy}`)),
  ];
}

/** What happened, and what to type next. */
function endLines(change: ChangeView, { paint }: Context): readonly string[] {
  const { state, why, file, id, incident, gates } = change;
  switch (state) {
    case 'promoted':
      return ['', paint.good(`Promoted: ${why}.`), '  To go back:  holdfast rollback'];
    case 'abandoned':
      return ['', `${sentence(why)}.`];
    case 'refused': {
      const quarantined = gates.some(({ diagnostics }) => diagnostics.some(({ code }) => code === 'HF106'));
      return [
        '',
        paint.bad('Refused. Nothing was changed.'),
        quarantined
          ? `  Next:  holdfast apply ${file} --release --reason "why"`
          : `  Next:  mend what is named above, then holdfast apply ${file}`,
      ];
    }
    default:
      return [
        '',
        paint.bad(`${sentence(state)}: ${why}.`),
        incident ? `  Next:  holdfast postmortem ${incident}` : `  Next:  holdfast changes ${id}`,
      ];
  }
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
