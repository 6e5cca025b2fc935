export { type JournalOptions, type JournalStatus, type OpenJournal, openJournal } from './journal.ts';
export { type JournalCheck, type JournalProblem, verifyJournal } from './verify.ts';
