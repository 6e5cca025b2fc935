/** Spare servers that serve beside the others because their pool was full, and that leave again. */
export type SpareEvent =
  | {
      readonly kind: 'spare.joins' | 'spare.leaves';
      readonly pool: string;
      /** As the site file calls it. */
      readonly server: string;
      /** The change that does it. */
      readonly change: string;
      readonly because: string;
    }
  /** A pool is full, or not any more, and nothing could be done about its spare server. */
  | {
      readonly kind: 'spare.failed';
      readonly turn: 'joins' | 'leaves';
      readonly pool: string;
      readonly server: string;
      readonly because: string;
      readonly why: string;
    };
