/** How long Temporal waits before it tries a failed step again, as often as it takes. */
export const retryPolicy = { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' } as const;
