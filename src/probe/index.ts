export { askAsClient, type ClientAnswer, probeAgent } from './client.ts';
export { askAt, askEntrance, describeRequest, type EntranceAnswer } from './entrance.ts';
export {
  isInner,
  type Outgoing,
  type OutgoingAnswer,
  type Post,
  poster,
  type Resolve,
  type Resolved,
  resolver,
} from './outbound.ts';
export {
  askDnsOutside,
  askHttpOutside,
  askTcpOutside,
  askTlsOutside,
  type OutsideAnswer,
  type OutsideHttp,
} from './outside.ts';
export { askServer, probeServer, type ServerAnswer } from './server.ts';
export {
  askStream,
  askStreamEntrance,
  certificateOf,
  clientHello,
  type StreamAnswer,
  whoAnswers,
} from './stream.ts';
