/** A flag is a file that is executable or not. */
export const flag = { set: 0o700, unset: 0o600 } as const;
