// Generated from the gateway's OpenAPI and AsyncAPI documents by npm run generate. Do not edit.

// Room: the shapes of what goes over the wire, generated. Nothing is written here by hand.

export type Sender = { id: string; username: string; displayName: string; avatarUrl: string };

export type File = {
  id: string;
  /** A path on this gateway. Its signature is valid for 24 hours at least; every answer and frame that shows the file has a new one */
  url: string;
  name: string;
  /** Bytes */
  size: number;
  /** The media type, by the content of the file */
  mime: string;
  /** Of an image, in pixels */
  width?: number;
  /** Of an image, in pixels */
  height?: number;
  /** Of an image over 512 pixels: a copy that is no larger than that */
  thumbnailUrl?: string;
};

export type User = {
  id: string;
  username: string;
  displayName: string;
  avatarUrl: string;
  isGuest: boolean;
  /** Created, Unix milliseconds */
  createdAt: number;
};

export type UserView = {
  id: string;
  username: string;
  displayName: string;
  avatarUrl: string;
  isGuest: boolean;
  /** Created, Unix milliseconds */
  createdAt: number;
  /** Present if the user shows it to everyone */
  online?: boolean;
  /** Last seen, 0 if never; present if the user shows it to everyone, Unix milliseconds */
  lastActiveAt?: number;
};

export type UserSettings = {
  /** Who may add the user to a group. If anyone else tries, the answer names the user in refused */
  groupInvites: 'everyone' | 'friends';
  /** Who may see whether the user is online and when the user was last active */
  lastSeen: 'everyone' | 'friends' | 'nobody';
  /** False: nobody sees what the user has read, and the user does not see what others have read */
  readReceipts: boolean;
  /** A BCP 47 language tag; absent if the user chose none */
  locale?: string;
};

export type FriendRequest = {
  id: string;
  requester: User;
  target: User;
  /** 0 pending, 1 accepted, 2 rejected, 3 blocked, 4 expired, 5 withdrawn */
  status: number;
  message: string;
  /** Created, Unix milliseconds */
  createdAt: number;
  /** Changed, Unix milliseconds */
  updatedAt: number;
  /** Expires, Unix milliseconds */
  expiresAt: number;
};

export type Friend = {
  id: string;
  username: string;
  displayName: string;
  avatarUrl: string;
  isGuest: boolean;
  /** Created, Unix milliseconds */
  createdAt: number;
  remark: string;
  online: boolean;
  /** Last seen, 0 if never, Unix milliseconds */
  lastActiveAt: number;
  /** The id of the single conversation with the friend */
  conversationId: string;
};

export type Message = {
  id: number;
  conversationId: string;
  seqId: number;
  sender: Sender;
  /** 1 text, 2 image, 3 file, 4 system */
  messageType: number;
  /** Empty once deleted */
  content: string;
  clientMsgId: string;
  /** The seqId of the message that this one answers */
  replyToSeqId?: number;
  /** Ids of the users mentioned */
  mentions?: string[];
  /** Any JSON object of up to 4,096 bytes as text. The server does not read it. */
  metadata?: Record<string, unknown>;
  deleted: boolean;
  /** Unix milliseconds */
  createdAt: number;
  /** The number of its last change among all changes in its conversation; 0: never changed */
  changeSeq: number;
  /** When it was edited last, Unix milliseconds */
  editedAt?: number;
  /** In the order of their first use; absent: there are none */
  reactions?: {
    emoji: string;
    count: number;
    /** Who reacted first, at most 20 */
    userIds: string[];
  }[];
  /** Present on pinned messages */
  pinned?: boolean;
};

export type Conversation = {
  id: string;
  /** 1 single, 2 group, 3 world */
  type: number;
  name: string;
  avatarUrl: string;
  description: string;
  announcement: string;
  /** Empty for single and world */
  ownerId: string;
  memberCount: number;
  /** 1 member, 2 admin, 3 owner */
  role: number;
  muted: boolean;
  lastSeqId: number;
  /** How many changes its messages have had: edits, recalls and others */
  lastChangeSeq: number;
  lastReadSeqId: number;
  unreadCount: number;
  /** Which messages the member wants to be notified of */
  notifications: 'all' | 'mentions' | 'none';
  /** Clients show the conversation above the others. The order of the list stays the same */
  pinned: boolean;
  /** The list leaves the conversation out until its next message */
  hidden: boolean;
  lastMessage?: Message;
  peer?: User;
  settings: {
    /** "admins" or "members" */ inviteBy: string;
    muteAll: boolean;
    maxMembers: number;
  };
  /** Unix milliseconds */
  createdAt: number;
  /** Unix milliseconds */
  updatedAt: number;
};

export type Member = {
  id: string;
  username: string;
  displayName: string;
  avatarUrl: string;
  isGuest: boolean;
  /** Created, Unix milliseconds */
  createdAt: number;
  /** 1 member, 2 admin, 3 owner */
  role: number;
  muted: boolean;
  /** Unix milliseconds */
  joinedAt: number;
  lastReadSeqId: number;
};

export type Session = {
  user: User;
  /** Goes into the Authorization header of other calls */
  accessToken: string;
  /** Works once, in POST /auth/refresh */
  refreshToken: string;
  /** Seconds until the access token expires */
  expiresIn: number;
  sessionId: string;
};

export type LoginSession = {
  id: string;
  /** Unix milliseconds */
  createdAt: number;
  /** Unix milliseconds */
  lastUsedAt: number;
  /** Unix milliseconds */
  expiresAt: number;
  userAgent: string;
  address: string;
  /** The session that sends this request */
  current: boolean;
};

export type Problem = {
  /** A URN that names the kind of problem */ type: string;
  title: string;
  /** The HTTP status */
  status: number;
  /** What is wrong, for people */
  detail: string;
  /** What is wrong, for programs */
  code: string;
  /** The fields that are wrong, by their path in the request */
  errors?: { path: string; message: string }[];
};

/** The calls of the REST API by method and path: their parameters, bodies and answers. */
export interface Calls {
  /** Liveness */
  'GET /healthz': { answer: { status: string } };
  /** Readiness */
  'GET /readyz': { answer: { ready: boolean; dependencies: Record<string, 'up' | 'down'> } };
  /** Get the public keys of access tokens */
  'GET /.well-known/jwks.json': { answer: { keys: Record<string, string>[] } };
  /** Create an account */
  'POST /auth/register': {
    body: {
      username: string;
      password: string;
      /** The address of an uploaded file, or an http or https address without a user name or password in it. Empty: no picture. */
      avatarUrl?: string;
    };
    answer: Session;
  };
  /** Sign in with username and password */
  'POST /auth/login': { body: { username: string; password: string }; answer: Session };
  /** Sign in with a token of your identity provider */
  'POST /auth/exchange': { body: { token: string }; answer: Session };
  /** Create a guest account */
  'POST /auth/guest': { body: Record<string, unknown> | null; answer: Session };
  /** Turn a guest into a registered user */
  'POST /auth/upgrade': { body: { username: string; password: string }; answer: Session };
  /** Change your password */
  'PUT /auth/password': { body: { oldPassword: string; newPassword: string }; answer: undefined };
  /** List your sessions */
  'GET /auth/sessions': {
    query?: { limit?: number; offset?: number; cursor?: string };
    answer: {
      sessions: LoginSession[];
      /** The cursor of the next page; absent on the last page */
      nextCursor?: string;
    };
  };
  /** End one of your sessions */
  'DELETE /auth/sessions/{sessionId}': { path: { sessionId: string }; answer: undefined };
  /** Exchange a refresh token for new tokens */
  'POST /auth/refresh': { body: { refreshToken: string }; answer: Session };
  /** End this session */
  'POST /auth/logout': { answer: undefined };
  /** Get your profile */
  'GET /users/profile': { answer: User };
  /** Change your profile */
  'PUT /users/profile': {
    body: {
      /** The address of an uploaded file, or an http or https address without a user name or password in it. Empty: no picture. */
      avatarUrl?: string;
      /** 1 to 50 characters, some of them visible, and no control characters. Blanks around it are cut off. */
      displayName?: string;
    };
    answer: User;
  };
  /** Erase your account */
  'DELETE /users/profile': {
    body: {
      password?: string;
      /** Whether everything that you wrote becomes empty and counts as recalled; members learn of it by POST /sync. False: it stays, under the name of a deleted user. */
      redactMessages?: boolean;
    } | null;
    answer: undefined;
  };
  /** Get your settings */
  'GET /users/settings': { answer: UserSettings };
  /** Change your settings */
  'PUT /users/settings': {
    body: {
      groupInvites?: 'everyone' | 'friends';
      lastSeen?: 'everyone' | 'friends' | 'nobody';
      readReceipts?: boolean;
      /** A BCP 47 language tag. Empty: none. */
      locale?: string;
    };
    answer: UserSettings;
  };
  /** Search users by username */
  'GET /users/search': { query: { q: string; limit?: number }; answer: { users: User[] } };
  /** Get a user */
  'GET /users/{userId}': { path: { userId: string }; answer: UserView };
  /** Send a friend request */
  'POST /friends/requests': {
    body: { targetUserId: string; message?: string };
    answer: { request: FriendRequest };
  };
  /** List your friend requests */
  'GET /friends/requests': {
    query?: {
      direction?: 'incoming' | 'outgoing';
      status?: number;
      limit?: number;
      offset?: number;
      cursor?: string;
    };
    answer: {
      requests: FriendRequest[];
      /** The cursor of the next page; absent on the last page */
      nextCursor?: string;
    };
  };
  /** Accept or reject a friend request */
  'PUT /friends/requests/{requestId}': {
    path: { requestId: string };
    body: {
      /** 1 accept, 2 reject */ action: 1 | 2;
    };
    answer: { request: FriendRequest; conversation?: Conversation };
  };
  /** Withdraw a friend request */
  'DELETE /friends/requests/{requestId}': { path: { requestId: string }; answer: undefined };
  /** List your friends */
  'GET /friends': {
    query?: { limit?: number; offset?: number; cursor?: string };
    answer: {
      friends: Friend[];
      /** The cursor of the next page; absent on the last page */
      nextCursor?: string;
    };
  };
  /** Set a friend’s remark */
  'PUT /friends/{userId}': { path: { userId: string }; body: { remark: string }; answer: Friend };
  /** End a friendship */
  'DELETE /friends/{userId}': { path: { userId: string }; answer: undefined };
  /** List the users you have blocked */
  'GET /blocks': {
    query?: { limit?: number; offset?: number; cursor?: string };
    answer: {
      users: User[];
      /** The cursor of the next page; absent on the last page */
      nextCursor?: string;
    };
  };
  /** Block a user */
  'PUT /blocks/{userId}': { path: { userId: string }; answer: undefined };
  /** Unblock a user */
  'DELETE /blocks/{userId}': { path: { userId: string }; answer: undefined };
  /** List your conversations */
  'GET /conversations': {
    query?: { limit?: number; offset?: number; cursor?: string; updatedSince?: number };
    answer: {
      conversations: Conversation[];
      hasMore: boolean;
      /** The cursor of the next page; absent on the last page */
      nextCursor?: string;
      /** A part of the storage is down. Conversations that this answer does not name are unknown, not gone: ask again after Retry-After */
      partial?: boolean;
    };
  };
  /** Open a single conversation or create a group */
  'POST /conversations': {
    body:
      | {
          /** 1 single, 2 group */ type: 1;
          memberIds: string[];
          /** 1 to 100 characters, some of them visible, and no control characters. Blanks around it are cut off. */
          name?: string;
          /** The address of an uploaded file, or an http or https address without a user name or password in it. Empty: no picture. */
          avatarUrl?: string;
          description?: string;
        }
      | {
          /** 1 single, 2 group */ type: 2;
          memberIds: string[];
          /** 1 to 100 characters, some of them visible, and no control characters. Blanks around it are cut off. */
          name: string;
          /** The address of an uploaded file, or an http or https address without a user name or password in it. Empty: no picture. */
          avatarUrl?: string;
          description?: string;
        };
    answer: {
      conversation: Conversation;
      /** Users whom you may not add: they take invitations from friends only, or an admin removed them. Absent: none. */
      refused?: string[];
    };
  };
  /** Get a conversation */
  'GET /conversations/{id}': { path: { id: string }; answer: { conversation: Conversation } };
  /** Change a group */
  'PATCH /conversations/{id}': {
    path: { id: string };
    body: {
      /** 1 to 100 characters, some of them visible, and no control characters. Blanks around it are cut off. */
      name?: string;
      /** The address of an uploaded file, or an http or https address without a user name or password in it. Empty: no picture. */
      avatarUrl?: string;
      description?: string;
      announcement?: string;
      settings?: {
        /** Who may add members */ inviteBy?: 'admins' | 'members';
        /** Only the owner and admins may write */
        muteAll?: boolean;
        maxMembers?: number;
      };
    };
    answer: { conversation: Conversation };
  };
  /** Dissolve a group */
  'DELETE /conversations/{id}': { path: { id: string }; answer: undefined };
  /** Mark a conversation as read */
  'PUT /conversations/{id}/read': {
    path: { id: string };
    body: { seqId: number };
    answer: { lastReadSeqId: number; unreadCount: number };
  };
  /** Set your choices for a conversation */
  'PATCH /conversations/{id}/me': {
    path: { id: string };
    body: { notifications?: 'all' | 'mentions' | 'none'; pinned?: boolean; hidden?: boolean };
    answer: { conversation: Conversation };
  };
  /** Make another member the owner of a group */
  'PUT /conversations/{id}/owner': {
    path: { id: string };
    body: { userId: string };
    answer: { conversation: Conversation };
  };
  /** List the messages of a conversation */
  'GET /conversations/{id}/messages': {
    path: { id: string };
    query?: { beforeSeq?: number; afterSeq?: number; aroundSeq?: number; limit?: number };
    answer: {
      messages: Message[];
      /** Whether there are more, in the direction read */
      hasMore: boolean;
      /** Only with aroundSeq */
      hasOlder?: boolean;
      /** Only with aroundSeq */
      hasNewer?: boolean;
    };
  };
  /** Send a message */
  'POST /conversations/{id}/messages': {
    path: { id: string };
    body: {
      /** Chosen by the client, 1 to 64 bytes in UTF-8. A client that sends the same message again must use the same id, so that the message is stored once. */
      clientMsgId: string;
      /** Text of up to 4,000 characters. For an image or a file: {url, name, size, mime, width?, height?, thumbnailUrl?} as JSON. */
      content: string;
      /** 1 text, 2 image, 3 file */
      messageType?: number;
      /** The seqId of the message that this one answers */
      replyToSeqId?: number;
      /** Ids of the users mentioned */
      mentions?: string[];
      /** Any JSON object of up to 4,096 bytes as text. The server does not read it. */
      metadata?: Record<string, unknown>;
    };
    answer: { message: Message };
  };
  /** Get one message */
  'GET /conversations/{id}/messages/{messageId}': {
    path: { id: string; messageId: string };
    answer: { message: Message };
  };
  /** Edit a message */
  'PATCH /conversations/{id}/messages/{messageId}': {
    path: { id: string; messageId: string };
    body: {
      /** Text of up to 4,000 characters. For an image or a file: {url, name, size, mime, width?, height?, thumbnailUrl?} as JSON. */
      content?: string;
      /** Any JSON object of up to 4,096 bytes as text. The server does not read it. */
      metadata?: Record<string, unknown>;
    };
    answer: { message: Message };
  };
  /** Recall a message */
  'DELETE /conversations/{id}/messages/{messageId}': {
    path: { id: string; messageId: string };
    answer: undefined;
  };
  /** React to a message */
  'PUT /conversations/{id}/messages/{messageId}/reactions/{emoji}': {
    path: { id: string; messageId: string; emoji: string };
    answer: undefined;
  };
  /** Take a reaction away */
  'DELETE /conversations/{id}/messages/{messageId}/reactions/{emoji}': {
    path: { id: string; messageId: string; emoji: string };
    answer: undefined;
  };
  /** Pin a message */
  'PUT /conversations/{id}/pins/{messageId}': { path: { id: string; messageId: string }; answer: undefined };
  /** Unpin a message */
  'DELETE /conversations/{id}/pins/{messageId}': {
    path: { id: string; messageId: string };
    answer: undefined;
  };
  /** List the reactions to a message */
  'GET /conversations/{id}/messages/{messageId}/reactions': {
    path: { id: string; messageId: string };
    query?: { limit?: number; offset?: number; cursor?: string; emoji?: string };
    answer: {
      reactions: {
        emoji: string;
        user: User;
        /** Unix milliseconds */
        createdAt: number;
      }[];
      hasMore: boolean;
      /** The cursor of the next page; absent on the last page */
      nextCursor?: string;
    };
  };
  /** List your reactions to a range of messages */
  'GET /conversations/{id}/my-reactions': {
    path: { id: string };
    query?: { fromSeq?: number; toSeq?: number };
    answer: { reactions: { messageId: number; emoji: string }[] };
  };
  /** List the pinned messages */
  'GET /conversations/{id}/pins': { path: { id: string }; answer: { messages: Message[] } };
  /** Search messages */
  'GET /search/messages': {
    query: {
      q: string;
      conversationId?: string;
      senderId?: string;
      before?: number;
      after?: number;
      limit?: number;
      cursor?: string;
    };
    answer: {
      results: {
        message: Message;
        /** The name of the group, or the displayName of the other user */
        conversationName: string;
        /** What was found in the content: start and length of each range, in UTF-16 units, in their order. Empty if it is only in the escaped name of a file. */
        highlights: number[][];
      }[];
      /** The cursor of the next page; absent on the last page */
      nextCursor?: string;
      /** A part of the storage is down. Conversations that this answer does not name are unknown, not gone: ask again after Retry-After */
      partial?: boolean;
    };
  };
  /** List the members of a conversation */
  'GET /conversations/{id}/members': {
    path: { id: string };
    query?: { limit?: number; offset?: number; cursor?: string };
    answer: {
      members: Member[];
      hasMore: boolean;
      /** The cursor of the next page; absent on the last page */
      nextCursor?: string;
    };
  };
  /** Add members to a group */
  'POST /conversations/{id}/members': {
    path: { id: string };
    body: { userIds: string[] };
    answer: {
      added: string[];
      alreadyMembers: string[];
      /** Users whom you may not add: they take invitations from friends only, or an admin removed them. Absent: none. */
      refused?: string[];
    };
  };
  /** Remove a member or leave a group */
  'DELETE /conversations/{id}/members/{userId}': { path: { id: string; userId: string }; answer: undefined };
  /** Change a member’s role or mute a member */
  'PATCH /conversations/{id}/members/{userId}': {
    path: { id: string; userId: string };
    body:
      | {
          /** 1 member, 2 admin */ role: 1 | 2;
          muted?: boolean;
        }
      | {
          /** 1 member, 2 admin */ role?: 1 | 2;
          muted: boolean;
        };
    answer: { member: Member };
  };
  /** Upload a file */
  'POST /files': { answer: File };
  /** Get the bytes of a file */
  'GET /files/{id}': { path: { id: string }; query?: { e?: number; s?: string }; answer: undefined };
  /** Get everything you missed */
  'POST /sync': {
    body: {
      /** The last seqId that you hold, by conversation id */ cursors: Record<string, number>;
      /** The last changeSeq that you hold, by conversation id: the answer then has the messages that changed after it */
      changes?: Record<string, number>;
      /** Unix milliseconds */
      since?: number;
      /** How many rows to answer at most */
      limitPerConversation?: number;
    };
    answer: {
      conversations: {
        conversation: Conversation;
        messages: Message[];
        hasMore: boolean;
        /** Your cursor was beyond the last message: forget what you hold; this is the newest page */
        reset?: boolean;
      }[];
      /** What changed messages are now, ascending by changeSeq in each conversation */
      changes: {
        conversationId: string;
        /** The number of the last change of the message */
        changeSeq: number;
        message: Message;
      }[];
      recalled: { conversationId: string; seqId: number }[];
      removed: string[];
      /** Ask again with the advanced cursors for more */
      hasMore: boolean;
      /** More changed than this answer holds: ask again with serverTime as since */
      moreChanges?: boolean;
      /** A part of the storage is down. Conversations that this answer does not name are unknown, not gone: ask again after Retry-After */
      partial?: boolean;
      /** The since of your next sync, Unix milliseconds */
      serverTime: number;
    };
  };
}

/** The data of the frames that a client sends, by type. */
export interface ClientFrames {
  /** Sends a message. A message-ack or an error with the same clientMsgId answers it. */
  'send-message': {
    conversationId: string;
    /** Chosen by the client, 1 to 64 bytes in UTF-8. A client that sends the same message again must use the same id, so that the message is stored once. */
    clientMsgId: string;
    /** Text of up to 4,000 characters. For an image or a file: {url, name, size, mime, width?, height?, thumbnailUrl?} as JSON. */
    content: string;
    /** 1 text, 2 image, 3 file */
    messageType?: number;
    /** The seqId of the message that this one answers */
    replyToSeqId?: number;
    /** Ids of the users mentioned */
    mentions?: string[];
    /** Any JSON object of up to 4,096 bytes as text. The server does not read it. */
    metadata?: Record<string, unknown>;
  };
  /** Moves the user’s read pointer of a conversation forward, never back. */
  'mark-read': { conversationId: string; seqId: number };
  /** Tells the other members that the user is typing. The gateway ignores more than one per two seconds. */
  typing: { conversationId: string };
  /** Keeps the session alive: send one every heartbeatMs. Answered by pong. */
  ping: undefined;
}

/** The data of the frames that a server sends, by type. */
export interface ServerFrames {
  /** The first frame, sent when the session is registered. The session gets everything that is sent to the user from now on. */
  welcome: {
    sessionId: string;
    userId: string;
    /** How often to send ping */
    heartbeatMs: number;
  };
  /** A message that this session sent is stored for good. */
  'message-ack': {
    clientMsgId: string;
    conversationId: string;
    messageId: number;
    seqId: number;
    /** Unix milliseconds */
    createdAt: number;
    /** The message had been stored before, and is not delivered again */
    duplicate: boolean;
  };
  /** A message of a conversation, for every session of its members except the one that sent it. Messages of a conversation arrive in the order of their seqIds. */
  'new-message': Message;
  /** A member has read up to seqId, by marking or by sending. Sent to the senders of the messages newly read, and to the reader’s other sessions. */
  'message-read': { conversationId: string; userId: string; seqId: number };
  /** A message was recalled. Sent to every member. Its seqId stays, and its content is empty from now on. */
  'message-recalled': {
    conversationId: string;
    messageId: number;
    seqId: number;
    /** The id of the user who recalled it; "0" for the operators */
    by: string;
  };
  /** A message changed: it was edited, recalled, pinned or unpinned, or users reacted to it. Sent to every member, in the order of changeSeq, with what the message is now. */
  'message-changed': {
    conversationId: string;
    /** The number of the change: 1, 2, 3, … in each conversation */
    changeSeq: number;
    message: Message;
    /** The reactions that this change tells. Reactions that follow each other quickly are told together. */
    reacted?: {
      userId: string;
      emoji: string;
      /** Whether the user reacted, or took the reaction away */
      on: boolean;
    }[];
  };
  /** A member is typing. Sent to the other members of conversations with up to 500 members. */
  'typing-indicator': { conversationId: string; userId: string };
  /** A friend came online or went offline. A friend counts as offline 30 s after the last session ended without a new one. */
  'online-status': {
    userId: string;
    status: 'online' | 'offline';
    /** Unix milliseconds */
    lastActiveAt: number;
  };
  /** Another user sent the user a friend request. */
  'friend-request': { request: FriendRequest };
  /** A friend request was accepted, rejected, withdrawn, or expired. Sent to both sides; includes the conversation if it was accepted. */
  'friend-request-handled': { request: FriendRequest; conversation?: Conversation };
  /** A conversation was created. Sent to each of its first members, with the member’s own fields. */
  'conversation-created': { conversation: Conversation };
  /** A conversation changed. Sent to every member without the fields that differ by member. If only such fields changed, it is sent with them to that member only. */
  'conversation-updated': {
    conversation: {
      id: string;
      /** 1 single, 2 group, 3 world */
      type: number;
      name: string;
      avatarUrl: string;
      description: string;
      announcement: string;
      /** Empty for single and world */
      ownerId: string;
      memberCount: number;
      /** 1 member, 2 admin, 3 owner */
      role?: number;
      muted?: boolean;
      lastSeqId: number;
      /** How many changes its messages have had: edits, recalls and others */
      lastChangeSeq: number;
      lastReadSeqId?: number;
      unreadCount?: number;
      /** Which messages the member wants to be notified of */
      notifications?: 'all' | 'mentions' | 'none';
      /** Clients show the conversation above the others. The order of the list stays the same */
      pinned?: boolean;
      /** The list leaves the conversation out until its next message */
      hidden?: boolean;
      lastMessage?: Message;
      peer?: User;
      settings: {
        /** "admins" or "members" */ inviteBy: string;
        muteAll: boolean;
        maxMembers: number;
      };
      /** Unix milliseconds */
      createdAt: number;
      /** Unix milliseconds */
      updatedAt: number;
    };
  };
  /** A group was dissolved. Sent to all who were members. */
  'conversation-dissolved': { conversationId: string };
  /** Members joined. Sent to every member. A new member gets it before any other frame of the conversation. */
  'member-added': { conversationId: string; members: Member[] };
  /** Members left or were removed. Sent to the members, and to those removed as the last frame of the conversation. */
  'member-removed': {
    conversationId: string;
    userIds: string[];
    /** The id of the user who removed them; the member’s own id if the member left */
    by: string;
  };
  /** Answers ping. */
  pong: undefined;
  /** A frame of this session was refused. */
  error: {
    /** The same codes as in the problem documents of REST */ code: string;
    /** Why, for people */
    message: string;
    /** The clientMsgId of the refused message */
    clientMsgId?: string;
    /** Whether the same frame may be sent again */
    retryable: boolean;
  };
}
