/** The back-off of a failed step, without a limit on the number of attempts. */
export const retryPolicy = { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' } as const;
