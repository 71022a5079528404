/** How long what somebody signs in with holds. */

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

/** Seconds that an access token lives. Nothing has to outlast more than `longest`. */
export const accessTokenS = { usual: 900, longest: 86_400 } as const;

/** A login session ends when it was not refreshed for so long. */
export const refreshTokenMs = { usual: 30 * dayMs, shortest: 1000 } as const;

/** How long a refresh token may come again after its rotation: from a second tab, or after a lost answer. */
export const rotationGraceMs = 20_000;

/** How long it is remembered from where an account signed in. */
export const signInAddressMs = 30 * dayMs;
