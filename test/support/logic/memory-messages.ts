import type { GoChatError } from '../../../lib/errors.ts';
import { ErrorCode } from '../../../lib/gen/im_repo/v1/error_code.ts';
import type {
  NewMessage,
  Recipients,
  ResolveRecipientsRequest,
  ResolveRecipientsResponse,
  SavedMessage,
  SaveMessagesRequest,
  SaveMessagesResponse,
  StoredBatch,
} from '../../../lib/gen/im_repo/v1/message.ts';

export type MemoryMessages = ReturnType<typeof createMemoryMessages>;

/**
 * A stub of im-repo's SaveMessages and ResolveRecipients, for faults that the real one cannot produce. It assigns seq ids and recognises
 * duplicates like the real one. Every user is a member of every conversation. It calls `fault` before each save.
 */
export function createMemoryMessages(options: {
  /** The gateways of the online members, the same for every conversation. */
  gateways: Recipients['gateways'];
  fault?: (request: SaveMessagesRequest) => GoChatError | undefined;
}) {
  const heads = new Map<string, number>();
  const stored = new Map<string, SavedMessage & { source: string }>();
  const calls: SaveMessagesRequest[] = [];
  let lastId = 0;

  function save(message: NewMessage): SavedMessage {
    const key = `${message.conversationId}/${message.senderId}/${message.clientMsgId}`;
    const source = `${message.sourcePartition}/${message.sourceOffset}`;
    const before = stored.get(key);
    if (before) return { ...before, duplicate: before.source !== source };
    const seqId = (heads.get(message.conversationId) ?? 0) + 1;
    heads.set(message.conversationId, seqId);
    const saved = {
      error: ErrorCode.ERROR_CODE_UNSPECIFIED,
      errorMessage: '',
      messageId: ++lastId,
      seqId,
      createdAt: Date.now(),
      duplicate: false,
      direct: false,
      readFor: [],
      source,
    };
    stored.set(key, saved);
    return saved;
  }

  const recipientsOf = (conversationId: string): Recipients => ({
    conversationId,
    fanout: false,
    broadcast: false,
    gateways: options.gateways,
    memberVersion: 1,
    newcomerIds: [],
  });

  const storedBatch = (conversationId: string): StoredBatch => ({
    conversationId,
    memberVersion: 1,
    world: false,
    single: false,
    fanout: false,
    direct: false,
    reads: [],
    senderIds: [],
  });

  return {
    calls,
    stored: () => stored.size,
    async saveMessages(request: SaveMessagesRequest): Promise<SaveMessagesResponse> {
      calls.push(request);
      const fault = options.fault?.(request);
      if (fault) throw fault;
      return {
        results: request.messages.map(save),
        recipients: [],
        senders: [],
        queried: [],
        stored: Array.from(new Set(request.messages.map((one) => one.conversationId)), storedBatch),
      };
    },
    async resolveRecipients(request: ResolveRecipientsRequest): Promise<ResolveRecipientsResponse> {
      return {
        recipients: request.queries.map(({ conversationId }) => recipientsOf(conversationId)),
        storedRecipients: request.stored.map(({ conversationId }) => recipientsOf(conversationId)),
        senders: [],
        readReceipts: [],
      };
    },
  };
}
