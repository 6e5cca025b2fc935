export { runHolder } from '#agent';
