export type { NewMessage, Room, Upload } from './api/room.ts';
export type { SearchPage, SearchQuery } from './api/search.ts';
export type { SendState, Sent } from './api/sends.ts';
export type { Events } from './api/surface.ts';
export type { StoredFile, UploadOptions } from './api/uploads.ts';
export type { ConversationItem, RoomSnapshot } from './api/views.ts';
export { type Client, type ClientOptions, createClient } from './client.ts';
export type { Connection } from './engine/connection.ts';
export type { SeatStorage as Storage } from './engine/seat.ts';
export type { ShownMessage } from './model/outgoing.ts';
export { type Api, createCall } from './transport/api.ts';
export { GoChatError } from './transport/errors.ts';
export type { WebSocketLike } from './transport/socket.ts';
export type { Credentials, SignInReason } from './transport/tokens.ts';
export type {
  Conversation,
  Friend,
  FriendRequest,
  Member,
  Message,
  Sender,
  Session,
  User,
  UserView,
} from './wire/wire.ts';
