import type { Conversation } from '../wire/wire.ts';
import { countChange, moveRead, otherRead } from './conversation-state.ts';
import type { ServerFrame, State } from './input.ts';
import { asStored, sendOf } from './outgoing.ts';
import type { Picture } from './picture.ts';

/** What each frame of the server means for the picture. */
export function createFrameRules(state: State, picture: Picture) {
  const {
    get,
    put,
    update,
    doubt,
    remove,
    take,
    settle,
    adoptFrom,
    recallOne,
    tell,
    noteTime,
    noteRejoined,
    myId,
    changeOne,
  } = picture;

  function apply({ type, data, timestamp = 0 }: ServerFrame): void {
    noteTime(timestamp);
    switch (type) {
      case 'new-message':
        if (!get(data.conversationId)) doubt(data.conversationId);
        take(data.conversationId, [data]);
        return;
      case 'message-ack': {
        const outgoing = sendOf(state.outbox, data.clientMsgId);
        if (!outgoing || !state.me) return;
        const message = asStored(outgoing, state.me, data);
        take(data.conversationId, [message]);
        // Also of a conversation that has gone meanwhile.
        settle(data.clientMsgId, message);
        return;
      }
      case 'message-read':
        if (!get(data.conversationId)) doubt(data.conversationId);
        if (data.userId === myId()) update(data.conversationId, (one) => moveRead(one, data.seqId));
        else update(data.conversationId, (one) => otherRead(one, data.userId, data.seqId));
        tell('read', data);
        return;
      case 'message-changed': {
        const known = get(data.conversationId);
        if (!known) doubt(data.conversationId);
        if (!known || data.changeSeq <= known.changeSeq) return;
        const next = countChange(known, data.changeSeq);
        put(next);
        if (next.changeSeq === data.changeSeq) changeOne(data.message, timestamp);
        return;
      }
      case 'message-recalled':
        recallOne(data.conversationId, data.seqId, timestamp, data.by);
        return;
      case 'typing-indicator':
        tell('typing', data);
        return;
      case 'online-status':
        tell('presence', data);
        return;
      case 'friend-request':
        tell(type, data);
        return;
      case 'friend-request-handled':
        if (data.conversation) adoptFrom(data.conversation, timestamp);
        tell(type, data);
        return;
      case 'conversation-created':
        adoptFrom(data.conversation, timestamp);
        return;
      case 'conversation-updated':
        conversationUpdated(data.conversation, timestamp);
        return;
      case 'conversation-dissolved':
        remove(data.conversationId, timestamp);
        return;
      case 'member-added':
        membersChanged(
          data.conversationId,
          data.members.map(({ id }) => id),
          1,
          timestamp,
        );
        return;
      case 'member-removed':
        membersChanged(data.conversationId, data.userIds, -1, timestamp);
        return;
    }
  }

  /**
   * What all members see of a conversation has changed, or what only this one sees. Messages and reading are told by
   * other frames. A frame that was made before the newest one may be outdated.
   */
  function conversationUpdated(
    updated: Partial<Conversation> & { id: string; updatedAt: number },
    madeAt = 0,
  ): void {
    const known = get(updated.id);
    if (!known || madeAt < known.frameAt) {
      doubt(updated.id);
      return;
    }
    const {
      lastSeqId: _,
      lastMessage: __,
      lastReadSeqId = 0,
      unreadCount: ___,
      lastChangeSeq = 0,
      ...shown
    } = updated;
    const before = known.conversation;
    const conversation = {
      ...before,
      ...shown,
      updatedAt: Math.max(before.updatedAt, updated.updatedAt),
      lastChangeSeq: Math.max(before.lastChangeSeq, lastChangeSeq),
    };
    put(moveRead({ ...known, conversation, frameAt: madeAt }, lastReadSeqId));
    tell('conversation', { conversation: get(updated.id)?.conversation ?? conversation });
  }

  /** A frame that comes twice must not count twice. */
  function membersChanged(id: string, userIds: readonly string[], by: 1 | -1, madeAt = 0): void {
    const known = get(id);
    const isMine = userIds.includes(myId());
    if (isMine) noteRejoined(id);
    if (!known || madeAt <= known.frameAt || isMine) {
      doubt(id);
      return;
    }
    const memberCount = known.conversation.memberCount + by * userIds.length;
    const conversation = { ...known.conversation, memberCount };
    put({ ...known, conversation, frameAt: madeAt });
    tell('conversation', { conversation });
  }

  return apply;
}
