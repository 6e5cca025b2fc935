export type { Escalation, FiringAlert, Page } from './core/book.ts';
export { onCallAt, type Shift, shiftsOf } from './core/schedule.ts';
export { attemptsMax, type Deliver, deliverMsMax } from './delivery.ts';
export type { IncomingAlert, Taken } from './intake.ts';
export { type AlertKeeper, alertKeeper } from './keeper.ts';
export { type Message, testMessage } from './message.ts';
export type { Delivery } from './notifiers/notifier.ts';
export { isOnCallFile, onCallJsonSchema, type ReadOnCall, readOnCall } from './read-settings.ts';
export type { OnCall } from './settings.ts';
