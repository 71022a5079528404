/** The messages of a conversation that a member is notified of: all, those that mention the member, or none. */
export const notificationChoices = ['all', 'mentions', 'none'] as const;
