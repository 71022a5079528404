/** A send outside a socket waits for its acknowledgement under a session id of its own, told apart by its prefix. */
const prefix = 'rest:';

export const restSession = (number: number): string => prefix + number;
export const isRestSession = (sessionId: string): boolean => sessionId.startsWith(prefix);
