/** The search attributes by which people find flows in the Web UI and by `temporal workflow list`. */

/** As `temporal operator search-attribute create --type` names them. */
export const searchAttributeTypes = {
  ConversationId: 'Keyword',
  /** Who acted, or whom the flow is for. */
  UserId: 'Keyword',
  /** Everybody the flow is about. */
  UserIds: 'KeywordList',
} as const;

/** The whole list is in the flow's input; visibility stores keep a list in every row that they index. */
const mostUserIds = 50;

/** The value of UserIds: whoever acts first, then the others in order, each once. */
export const userIdsAttribute = (userIds: readonly string[]): string[] =>
  [...new Set(userIds)].slice(0, mostUserIds);
