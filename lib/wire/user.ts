import { type Static, Type } from 'typebox';
import { deletedUser } from '../domain/deleted-user.ts';
import type { Friend, FriendRequest as ProtoFriendRequest } from '../gen/im_repo/v1/friendship.ts';
import type { User as ProtoUser } from '../gen/im_repo/v1/user.ts';

const time = (description: string) => Type.Integer({ description: `${description}, Unix milliseconds` });

/** A user in REST answers and WebSocket frames. */
export const User = Type.Object(
  {
    id: Type.String(),
    username: Type.String(),
    displayName: Type.String(),
    avatarUrl: Type.String(),
    isGuest: Type.Boolean(),
    createdAt: time('Created'),
  },
  { $id: 'User' },
);
export type User = Static<typeof User>;

export const toUser = (user: ProtoUser): User => ({
  id: user.id,
  username: user.username,
  displayName: user.displayName,
  avatarUrl: user.avatarUrl,
  isGuest: user.isGuest,
  createdAt: user.createdAt,
});

/** The answer to a request for one user: includes the presence if the user shows it to everyone. */
export const UserView = Type.Object(
  {
    ...User.properties,
    online: Type.Optional(Type.Boolean({ description: 'Present if the user shows it to everyone' })),
    lastActiveAt: Type.Optional(time('Last seen, 0 if never; present if the user shows it to everyone')),
  },
  { $id: 'UserView' },
);

export const FriendRequest = Type.Object(
  {
    id: Type.String(),
    requester: User,
    target: User,
    status: Type.Integer({
      description: '0 pending, 1 accepted, 2 rejected, 3 blocked, 4 expired, 5 withdrawn',
    }),
    message: Type.String(),
    createdAt: time('Created'),
    updatedAt: time('Changed'),
    expiresAt: time('Expires'),
  },
  { $id: 'FriendRequest' },
);
export type FriendRequest = Static<typeof FriendRequest>;

export const toFriendRequest = (request: ProtoFriendRequest): FriendRequest => ({
  id: request.id,
  requester: toUser(request.requester ?? deletedUser('')),
  target: toUser(request.target ?? deletedUser('')),
  status: request.status,
  message: request.message,
  createdAt: request.createdAt,
  updatedAt: request.updatedAt,
  expiresAt: request.expiresAt,
});

export const FriendView = Type.Object(
  {
    ...User.properties,
    remark: Type.String(),
    online: Type.Boolean(),
    lastActiveAt: time('Last seen, 0 if never'),
    conversationId: Type.String({ description: 'The id of the single conversation with the friend' }),
  },
  { $id: 'Friend' },
);
export type FriendView = Static<typeof FriendView>;

export const toFriend = (friend: Friend): FriendView => ({
  ...toUser(friend.user ?? deletedUser('')),
  remark: friend.remark,
  online: friend.online,
  lastActiveAt: friend.lastActiveAt,
  conversationId: friend.conversationId,
});
