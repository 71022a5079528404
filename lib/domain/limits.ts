/**
 * How long, how many, how much: the numbers of the contract, each of them here alone. Schemas, services and documents take
 * them from here. Lengths of texts count Unicode code points, but where the name says bytes.
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
  /** Members that a group may be given room for; `usual` where nobody says. */
  groupMembers: { fewest: 2, usual: 2000, most: 100_000 },

  remark: 100,
  friendRequestMessage: 500,

  messageContent: 4000,
  clientMsgIdBytes: 64,
  mentions: 100,

  /** Users that one call names. */
  usersPerCall: 1000,
  /** Rows of a page of a list; `usual` where nobody says how many. */
  page: { usual: 50, most: 200 },
  searchText: 100,
  searchResults: { usual: 20, most: 50 },
  /** Messages of one conversation in an answer of sync; `most` of them in all. */
  syncMessages: { usual: 200, most: 2000 },
  /** Conversations that a sync names. */
  syncCursors: 10_000,

  /** Above so many members messages go through the fan-out flow, and nobody is told who reads or types. */
  directMembers: 500,
} as const;

/** Whether a text has more than so many characters (Unicode code points). Most texts need no counting. */
export function isLonger(text: string, most: number): boolean {
  // A code point is one or two UTF-16 units.
  if (text.length <= most) return false;
  if (text.length > 2 * most) return true;
  let count = 0;
  for (const _ of text) {
    count += 1;
    if (count > most) return true;
  }
  return false;
}
