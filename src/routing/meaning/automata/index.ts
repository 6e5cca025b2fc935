export { isSpent, withinBudget, withoutBudget, workMax } from './budget.ts';
export { classifierOf, LabelSets, together } from './classifier.ts';
export { machineOf } from './languages.ts';
export {
  constant,
  excluded,
  labelOf,
  type Machine,
  minimised,
  product,
  relabelled,
  runFrom,
  TooComplex,
} from './machine.ts';
export { before, joinedBefore, normalisedBefore } from './pullback.ts';
export { type Alphabet, languageMachine, wordsByLabel } from './words.ts';
