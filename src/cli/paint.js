// @ts-check
// Plain JavaScript: urgent.js needs it.

/**
 * @typedef {object} Paint
 * @property {(text: string) => string} good
 * @property {(text: string) => string} bad
 * @property {(text: string) => string} warn
 * @property {(text: string) => string} dim
 * @property {(text: string) => string} bold
 */

/**
 * Colours on a terminal, unless NO_COLOR asks for none (https://no-color.org).
 * @param {{ readonly env: NodeJS.ProcessEnv; readonly tty: boolean }} io
 * @returns {Paint}
 */
export function paintFor({ env, tty }) {
  const on = tty && !env.NO_COLOR;
  /** @param {number} number */
  const code = (number) => (/** @type {string} */ text) => (on ? `\u001b[${number}m${text}\u001b[0m` : text);
  return { good: code(32), bad: code(31), warn: code(33), dim: code(2), bold: code(1) };
}
