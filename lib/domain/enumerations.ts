/**
 * The numbers of kinds and states in SQL, proto, Kafka records and JSON. They are part of the public contract: a new
 * value gets a new number, and no number changes its meaning. The enums in proto/ have the same numbers (a test
 * checks this).
 */

export const conversationType = { single: 1, group: 2, world: 3 } as const;

/** A group is `creating`, and hidden, until all its first members are added. */
export const conversationStatus = { creating: 0, active: 1, dissolved: 2 } as const;

/**
 * The members of a single conversation may send messages (`open`), or not: they are no friends, or one blocked the
 * other.
 */
export const sendState = { open: 0, notFriends: 1, blocked: 2 } as const;
export type SendState = ValueOf<typeof sendState>;

/** A higher role has all rights of the lower ones. */
export const memberRole = { member: 1, admin: 2, owner: 3 } as const;

/** Who may add members to a group: members with role admin and above, or all members. */
export const inviters = { admins: 'admins', members: 'members' } as const;

/** The messages of a conversation that a member is notified of: all, those that mention the member, or none. */
export const notificationChoices = ['all', 'mentions', 'none'] as const;

/** Only operators may send `system` messages. */
export const messageType = { text: 1, image: 2, file: 3, system: 4 } as const;
/** The type of a message that gives none. */
export const defaultMessageType = messageType.text;

/** How a conversation's new messages reach its members: directly from logic, or through the fan-out flow. */
export const fanoutMode = { off: 0, on: 1 } as const;

export const friendRequestStatus = {
  pending: 0,
  accepted: 1,
  rejected: 2,
  blocked: 3,
  expired: 4,
  withdrawn: 5,
} as const;
export type FriendRequestStatus = ValueOf<typeof friendRequestStatus>;

/** How the target of a friend request may answer it. */
export const friendRequestAction = { accept: 1, reject: 2 } as const;

export const accountStatus = { active: 1, erased: 2 } as const;

export const onlineStatus = { online: 'online', offline: 'offline' } as const;

type ValueOf<T> = T[keyof T];

/** The values of an enumeration, in the order of its declaration. */
export const valuesOf = <const V extends string | number>(enumeration: Readonly<Record<string, V>>): V[] =>
  Object.values(enumeration);

export const isOneOf = (enumeration: Readonly<Record<string, unknown>>, value: unknown): boolean =>
  Object.values(enumeration).includes(value);
