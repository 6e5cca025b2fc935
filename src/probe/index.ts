export { askEntrance, describeRequest, type EntranceAnswer } from './entrance.ts';
export { probeServer, type ServerAnswer } from './server.ts';
