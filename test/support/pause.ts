/** Resolves after a time that is part of what is being tested: how long a fault lasts, how long a client waits. */
export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
