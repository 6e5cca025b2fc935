export { chooseEngine } from './choose-engine.ts';
export { writeDurably } from './good.ts';
export { runHolder } from './holder/run.ts';
export { runAgent } from './run.ts';
