/**
 * The limits of the public contract. Schemas, services and documents read them from here. Lengths of texts are in
 * Unicode code points, unless the name says bytes. `usual` is the default, `most` the maximum, `fewest` the minimum.
 */
export const limits = {
  username: { shortest: 3, longest: 50 },
  password: { shortest: 8, longest: 128 },
  displayName: 50,
  /** A BCP 47 language tag. */
  locale: 64,
  webAddress: 2048,

  groupName: 100,
  description: 1000,
  announcement: 2000,
  /** The values allowed for a group's maximum number of members. */
  groupMembers: { fewest: 2, usual: 2000, most: 100_000 },

  remark: 100,
  friendRequestMessage: 500,

  messageContent: 4000,
  clientMsgIdBytes: 64,
  /** Of a message's metadata as JSON text. */
  metadataBytes: 4096,
  /** Different emoji per message. */
  reactionKinds: 20,
  /** Users whom a message names per emoji: those who reacted first. */
  reactionUsers: 20,
  /** A user's own reactions per answer. */
  ownReactions: 10_000,
  /** Pinned messages per conversation. */
  pins: 100,
  mentions: 100,

  /** User ids per request. */
  usersPerCall: 1000,
  /** Rows per page of a list. */
  page: { usual: 50, most: 200 },
  searchText: 100,
  searchResults: { usual: 20, most: 50 },
  /** Messages per conversation in an answer of sync. `most` is also the maximum for all conversations together. */
  syncMessages: { usual: 200, most: 2000 },
  /** Conversations per sync request. */
  syncCursors: 10_000,

  /**
   * For conversations with more members, the fan-out flow delivers messages, and there are no receipts or typing
   * frames.
   */
  directMembers: 500,
} as const;

/** True if a text has more than `max` characters (Unicode code points). Most texts need no counting. */
export function isLonger(text: string, max: number): boolean {
  // A code point has one or two UTF-16 units.
  if (text.length <= max) return false;
  if (text.length > 2 * max) return true;
  let count = 0;
  for (const _ of text) {
    count += 1;
    if (count > max) return true;
  }
  return false;
}

/** The number of rows that a request asks for, at most `most`; `usual` if it asks for none. */
export const limitOf = (asked: number, { usual, most }: { usual: number; most: number }): number =>
  Math.min(asked > 0 ? asked : usual, most);
