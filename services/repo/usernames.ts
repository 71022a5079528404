/** Also keeps names away that the ASCII column would take for others: 'bob ' compares equal to 'bob'. */
export const isUsername = (text: string): boolean => /^[A-Za-z0-9_.-]{1,50}$/.test(text);

/** Takes the place of an erased account's name. It can't be anybody's, since a colon is in no username. */
export const erasedUsername = (userId: number): string => `deleted:${userId}`;
