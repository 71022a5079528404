import * as logicAuth from '../gen/im_logic/v1/auth.ts';
import * as logicConversation from '../gen/im_logic/v1/conversation.ts';
import * as logicFriend from '../gen/im_logic/v1/friend.ts';
import * as logicMessage from '../gen/im_logic/v1/message.ts';
import * as logicUser from '../gen/im_logic/v1/user.ts';
import * as repoArchive from '../gen/im_repo/v1/archive.ts';
import * as repoConversation from '../gen/im_repo/v1/conversation.ts';
import { FileServiceService } from '../gen/im_repo/v1/file.ts';
import * as repoFriendship from '../gen/im_repo/v1/friendship.ts';
import * as repoIdempotency from '../gen/im_repo/v1/idempotency.ts';
import * as repoMessage from '../gen/im_repo/v1/message.ts';
import * as repoPresence from '../gen/im_repo/v1/online_status.ts';
import * as repoSearch from '../gen/im_repo/v1/search.ts';
import * as repoSequence from '../gen/im_repo/v1/sequence.ts';
import * as repoUser from '../gen/im_repo/v1/user.ts';
import { createClient, openChannel } from './client.ts';
import type { GrpcChannel } from './definition.ts';
import type { GrpcToken } from './token.ts';

export type RepoClient = ReturnType<typeof connectRepo>;
export type LogicClient = ReturnType<typeof connectLogic>;

/** The clients of im-repo's services. `at` is im-repo's address, or a channel to an im-repo in the same process. */
export function connectRepo(at: string | GrpcChannel, token?: GrpcToken) {
  const channel = typeof at === 'string' ? openChannel(at, token) : at;
  return {
    users: createClient(channel, repoUser.UserServiceService),
    conversations: createClient(channel, repoConversation.ConversationServiceService, {
      together: ['getUserConversationsWithDetails'],
      encoded: ['getUserConversationsWithDetails'],
    }),
    messages: createClient(channel, repoMessage.MessageServiceService, {
      together: ['getMessages'],
      encoded: ['getMessages'],
    }),
    friendships: createClient(channel, repoFriendship.FriendshipServiceService),
    search: createClient(channel, repoSearch.SearchServiceService),
    sequences: createClient(channel, repoSequence.SequenceServiceService),
    idempotency: createClient(channel, repoIdempotency.IdempotencyServiceService),
    archive: createClient(channel, repoArchive.ArchiveServiceService),
    presence: createClient(channel, repoPresence.OnlineStatusServiceService),
    ready: channel.ready,
    close: channel.close,
  };
}

export type FilesClient = ReturnType<typeof connectFiles>;

/**
 * The client of im-repo's FileService. It has a connection of its own, so that the bytes of files do not fill the one
 * on which short calls wait.
 */
export function connectFiles(address: string, token?: GrpcToken) {
  const channel = openChannel(address, token);
  const { getUploadedFile } = createClient(channel, FileServiceService);
  return {
    uploadFile: channel.sending(FileServiceService.uploadFile),
    readFile: channel.receiving(FileServiceService.readFile),
    getUploadedFile,
    close: channel.close,
  };
}

/** The clients of im-logic's services at an address. */
export function connectLogic(address: string, token?: GrpcToken) {
  const channel = openChannel(address, token);
  return {
    auth: createClient(channel, logicAuth.AuthServiceService),
    users: createClient(channel, logicUser.UserServiceService),
    friends: createClient(channel, logicFriend.FriendServiceService),
    conversations: createClient(channel, logicConversation.ConversationServiceService, {
      together: ['getConversationsOptimized', 'getMessages'],
    }),
    messages: createClient(channel, logicMessage.MessageServiceService),
    ready: channel.ready,
    close: channel.close,
  };
}
