export { askEntrance, describeRequest, type EntranceAnswer } from './entrance.ts';
export { askServer, probeServer, type ServerAnswer } from './server.ts';
