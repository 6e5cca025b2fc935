import { askEvery, couldNotTell, type Gate, passed, refused } from './gate.ts';

const wayBackTimeoutMs = 60_000;

/** The last good generation of every balancer is alive and answers, so a rollback has somewhere to go. */
export const wayBack: Gate<'way back'> = {
  name: 'way back',
  forceable: true,
  askedAfterRefusal: false,
  during: 'proposed',
  async ask({ balancers }) {
    const { answers, silent } = await askEvery(balancers, 'wayBack', {}, wayBackTimeoutMs);
    const tried = (ok: boolean) =>
      answers.flatMap(({ balancer, output }) =>
        output.tried
          .filter((one) => one.ok === ok)
          .map((one) => `${balancer}: generation ${output.generation}: ${one.what}: ${one.answered}`),
      );
    const blocked = answers.filter(({ output }) => !output.ok);
    if (blocked.length > 0) {
      const names = blocked.map(({ balancer }) => balancer).join(', ');
      return refused(
        `no way back on ${names}`,
        [...tried(false), ...tried(true)],
        [
          {
            code: 'HF105',
            severity: 'error',
            place: null,
            path: names,
            message: tried(false)[0] ?? 'the last good generation is not there',
            remedy: 'Restore the last good generation first: see `holdfast status`',
          },
        ],
      );
    }
    if (silent.length > 0) return couldNotTell(silent);
    return passed(
      answers.map(({ balancer, output }) => `${balancer} to generation ${output.generation}`).join(', '),
      tried(true),
    );
  },
};
