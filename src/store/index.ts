export { type JournalOptions, type JournalStatus, type OpenJournal, openJournal } from './journal.ts';
export {
  type CountedMinute,
  type KeptSum,
  type OpenTicks,
  openTicks,
  type Peak,
  type Resolution,
  retention,
  type TickQuery,
} from './ticks.ts';
export { type JournalCheck, type JournalProblem, verifyJournal } from './verify.ts';
