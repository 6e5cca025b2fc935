export * from './difference.ts';
export { hostPort, routeOf } from './route.ts';
export * from './site.ts';
