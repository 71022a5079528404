/** The search attributes with which operators find flows in the Web UI and with `temporal workflow list`. */

/** The types are those of `temporal operator search-attribute create --type`. */
export const searchAttributeTypes = {
  ConversationId: 'Keyword',
  /** The user who acted, or for whom the flow runs. */
  UserId: 'Keyword',
  /** All users whom the flow concerns. */
  UserIds: 'KeywordList',
} as const;

/** The flow's input has the whole list; the visibility store would copy it into every row that it indexes. */
const maxUserIds = 50;

/** The value of UserIds: the actor first, then the others in order, without duplicates, at most 50. */
export const userIdsAttribute = (userIds: readonly string[]): string[] =>
  [...new Set(userIds)].slice(0, maxUserIds);
