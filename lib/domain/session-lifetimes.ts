/** The lifetimes of tokens and login sessions. */

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

/** Lifetime of an access token, in seconds. State that must outlive every access token is kept for `longest`. */
export const accessTokenS = { usual: 900, longest: 86_400 } as const;

/** A login session ends if it is not refreshed for this time. */
export const refreshTokenMs = { usual: 30 * dayMs, shortest: 1000 } as const;

/** How long a refresh token is still accepted after its rotation: for a second browser tab, or after a lost answer. */
export const rotationGraceMs = 20_000;

/** How long the addresses from which an account signed in are kept. */
export const signInAddressMs = 30 * dayMs;
