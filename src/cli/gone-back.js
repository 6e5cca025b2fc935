// @ts-check
// Plain JavaScript: urgent.js needs it.

/**
 * What a rollback or an abort came to, for people, and whether everybody did what was asked.
 * @param {import('#contract').RollbackView} view
 * @param {import('./paint.js').Paint} paint
 * @returns {{ readonly lines: readonly string[]; readonly done: boolean }}
 */
export function goneBack({ change, balancers }, paint) {
  const each = balancers.map(({ balancer, takeBack, error }) => {
    const how = takeBack
      ? `${paint.good('✔')} back to generation ${takeBack.to} in ${Math.max(0, Math.round(takeBack.doneAt - takeBack.decidedAt))} ms`
      : error
        ? `${paint.bad('✖')} ${error}`
        : 'had nothing to take back';
    return `  ${balancer}: ${how}`;
  });
  const failed = balancers.some(({ error }) => error !== '');
  const nothing = balancers.every(({ takeBack }) => takeBack === null) && change?.state !== 'abandoned';
  return {
    lines: [
      ...each,
      change
        ? `Change ${change.id} is ${change.state}: ${change.why}.`
        : 'No change was in flight or promoted.',
      change ? `  Next:  holdfast changes ${change.id}` : '  Next:  holdfast status',
    ],
    done: !failed && !nothing,
  };
}
