export { seriesCount } from './balancer-watch.ts';
export { changeBook } from './change-book.ts';
export {
  type ExpressionAnswer,
  type ExpressionBook,
  expressionBook,
  readQueryAnswer,
} from './expressions.ts';
export type { OpenFault } from './faults.ts';
export { type Located, locate } from './locate/locate.ts';
export { type Around, type Family, type Meter, type MetricsFormat, meter } from './metrics.ts';
export { type Act, Monitor, type MonitorPlan, type Probed } from './monitor.ts';
export {
  burningFault,
  type CountedMinute,
  type ObjectiveBook,
  type ObjectiveState,
  objectiveBook,
  type Past,
  storedName,
} from './objectives.ts';
export { type OtlpResource, otlpMetrics } from './otlp.ts';
export {
  type BalancerPicture,
  type ChangePicture,
  type DirectProbe,
  type Picture,
  recentTicks,
  type ThroughProbe,
} from './picture.ts';
export { type ProbeBook, type ProbeResult, probeBook } from './probe-book.ts';
export * from './settings/index.ts';
export { Spares, type SpareTurn } from './spares.ts';
export type { OpenStated, Stated } from './stated.ts';
