import { type ReportedSight, reportedSights } from '#events';

/** What the page says beside its form. */
export type ReportPageState =
  | { readonly kind: 'form' }
  | { readonly kind: 'wrong'; readonly why: string }
  | { readonly kind: 'thanks'; readonly report: string };

const sights: Readonly<Record<ReportedSight, string>> = {
  unreachable: 'I cannot reach it at all',
  error: 'It shows an error',
  slow: 'It is very slow',
  wrong: 'It shows something wrong',
  other: 'Something else',
};

/**
 * The page where customers say that something is wrong: one file, no script, nothing loaded from elsewhere, so that it
 * works where everything else does not. `known`: an incident is open.
 */
export function reportPage(site: string, known: boolean, state: ReportPageState): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Report a problem with ${escaped(site)}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>Is something wrong with ${escaped(site)}?</h1>
${known ? '<p class="known" role="status">We know of a problem right now and are working on it. Your report still helps.</p>' : ''}
${body(state)}
</main>
</body>
</html>
`;
}

function body(state: ReportPageState): string {
  switch (state.kind) {
    case 'thanks':
      return `<p class="thanks" role="status">Thank you. Your report is number <b>${escaped(state.report)}</b>, and somebody sees it now.</p>`;
    case 'wrong':
      return `<p class="wrong" role="alert">${escaped(state.why)}</p>${form}`;
    case 'form':
      return form;
  }
}

const choices = reportedSights
  .map(
    (sight, i) =>
      `<label><input type="radio" name="sees" value="${sight}"${i === 1 ? ' checked' : ''}> ${sights[sight]}</label>`,
  )
  .join('\n');

const form = `<form method="post" action="/">
<fieldset><legend>What do you see?</legend>
${choices}
</fieldset>
<label>Where? The address of the page, if you have it
<input name="url" maxlength="2000" inputmode="url" placeholder="https://"></label>
<label>Which number does the error show?
<input name="status" maxlength="3" size="4" inputmode="numeric" pattern="[1-5][0-9][0-9]" placeholder="503"></label>
<label>Anything else? Please write no names, passwords or card numbers
<textarea name="said" maxlength="1000" rows="4"></textarea></label>
<button>Report it</button>
</form>`;

const style = `
:root { color-scheme: light dark; font: 1.05rem/1.5 system-ui, sans-serif; }
body { margin: 0; display: grid; justify-items: center; }
main { width: min(34rem, 100% - 2rem); padding: 2rem 0; }
h1 { font-size: 1.5rem; line-height: 1.25; }
form { display: grid; gap: 1.1rem; }
fieldset { border: 1px solid #8886; border-radius: .5rem; display: grid; gap: .35rem; padding: .8rem 1rem; }
label { display: block; }
input:not([type=radio]), textarea { display: block; width: 100%; box-sizing: border-box; font: inherit; padding: .5rem; margin-top: .3rem; border: 1px solid #8889; border-radius: .4rem; }
input[name=status] { width: 6rem; }
button { font: inherit; font-weight: 600; padding: .7rem 1.2rem; border: 0; border-radius: .5rem; background: #0b57d0; color: #fff; justify-self: start; cursor: pointer; }
button:focus-visible, input:focus-visible, textarea:focus-visible { outline: 3px solid #0b57d0; outline-offset: 2px; }
.known { background: #f9c74f33; border-left: 4px solid #e09f1f; padding: .7rem 1rem; }
.thanks { background: #43aa8b33; border-left: 4px solid #2f7d67; padding: .7rem 1rem; }
.wrong { background: #f9414433; border-left: 4px solid #c1272d; padding: .7rem 1rem; }
`;

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
