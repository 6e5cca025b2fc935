export { type ArrivalsDetector, arrivalsDetector } from './arrivals.ts';
export { baseline, baselineFloor, baselineMax, type HistoryTick } from './baseline.ts';
export { type Comparison, type ComparisonTick, type ComparisonVerdict, comparison } from './comparison.ts';
export { type HungTest, hungTest, type InHand } from './hung.ts';
export { type RecoveryDetector, recoveryDetector } from './recovery.ts';
export { type SlownessTest, slownessTest, type TimedRequests } from './slowness.ts';
export { type SpikeDetector, type SpikeVerdict, spikeDetector } from './spike.ts';
export { defaultAlternatives, type ThresholdInput, threshold } from './threshold.ts';
