/** What of a conversation's messages a member wants to be notified of. */
export const notificationChoices = ['all', 'mentions', 'none'] as const;
