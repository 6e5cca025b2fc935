export { describe, describeLanguage, describeNot, describeUnknown, describeValue } from './describe.ts';
export { type Explanation, fateOf, type Reason, type Way } from './fate.ts';
export { normalisedPath } from './normalise.ts';
export { type Request, requestOf } from './request.ts';
export { type FateView, poolsOf, type SentView } from './view.ts';
export { type Assumption, isUnknown, type Oracle, type Told } from './world.ts';
