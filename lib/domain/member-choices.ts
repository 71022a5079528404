/**
 * A member's choice which messages of a conversation cause notifications: all, those that mention the member, or
 * none.
 */
export const notificationChoices = ['all', 'mentions', 'none'] as const;
