export * from './explain.ts';
export * from './policy-file.ts';
export { askedRequest } from './request.ts';
export * from './traffic.ts';
export { actionText, witnessText } from './view.ts';
