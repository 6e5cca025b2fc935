export { type ByteSet, bothCases, byteRange, bytesOf, complement, union } from './bytes.ts';
export { canBeEmpty, type Node, type Parsed, parseRegex, partsOf } from './parse.ts';
export { type Script, scriptOf } from './script.ts';
