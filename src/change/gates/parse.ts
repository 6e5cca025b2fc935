import { formatDiagnostic } from '#base';
import { count, type Gate, passed, refused } from './gate.ts';

/** The text is a site. All mistakes at once; nothing can force a text that is none. */
export const parse: Gate<'parse'> = {
  name: 'parse',
  forceable: false,
  askedAfterRefusal: false,
  during: 'proposed',
  async ask({ reading }) {
    const { site, diagnostics } = reading;
    const errors = diagnostics.filter(({ severity }) => severity === 'error');
    if (!site || errors.length > 0)
      return refused(
        `${reading.text.file} is not a site: ${count(errors.length, 'mistake')}`,
        diagnostics.map(formatDiagnostic),
        diagnostics,
      );
    const { listeners, routes, pools } = site;
    const parts = [
      count(listeners.length, 'listener'),
      count(routes.length, 'route'),
      count(pools.length, 'pool'),
    ];
    return { ...passed(parts.join(', '), diagnostics.map(formatDiagnostic)), diagnostics };
  },
};
