/**
 * Resolves after a time that is part of the test's scenario, such as the duration of a fault or the wait of a client.
 */
export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
