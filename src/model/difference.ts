import type { Place } from '#base';

/** What a change does to the site's parts, with the lines that say so. */
export interface SiteDifference {
  readonly serversAdded: readonly ChangedServer[];
  readonly serversRemoved: readonly ChangedServer[];
  /** Listeners, routes, pools (other than their servers), guard: `routes[2] "api"`, `changed`. */
  readonly parts: readonly {
    readonly what: string;
    readonly how: 'added' | 'removed' | 'changed';
    readonly place: Place | null;
  }[];
}

export interface ChangedServer {
  readonly pool: string;
  readonly server: string;
  /** `10.0.0.7:8080` */
  readonly address: string;
  readonly place: Place;
}
