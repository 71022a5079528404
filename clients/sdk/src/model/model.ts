import { addOlder, moveRead, replaceMessage, trim } from './conversation-state.ts';
import { createFrameRules } from './frame-rules.ts';
import type { Input, Outcome, State } from './input.ts';
import { sendOf } from './outgoing.ts';
import { createPicture, type Picture } from './picture.ts';

export interface Model {
  readonly state: State;
  apply(input: Input): Outcome;
  /** Makes a change that is no input, and can't be handed on to other tabs. */
  change(run: (picture: Picture) => void): Outcome;
}

export const emptyState = (): State => ({
  me: undefined,
  since: undefined,
  conversations: new Map(),
  outbox: [],
  drafts: new Map(),
  untoldReads: new Map(),
  uncertain: [],
});

/**
 * The client's picture of the user's conversations. Inputs may come twice and out of order: the picture becomes the
 * server's once nothing is uncertain and no conversation has a hole. `isOwnId` knows the clientMsgIds of this client, also
 * those of earlier runs.
 */
export function createModel(isOwnId: (clientMsgId: string) => boolean, state: State = emptyState()): Model {
  const picture = createPicture(state, isOwnId);
  const { get, update, adopt, remove, synced, changed, changeOutgoing } = picture;
  const applyFrame = createFrameRules(state, picture);

  function apply(input: Input): void {
    switch (input.type) {
      case 'signed-in':
        state.me = input.user;
        return;
      case 'frame':
        applyFrame(input.frame);
        return;
      case 'listed':
        for (const conversation of input.conversations) adopt(conversation, conversation.lastSeqId);
        return;
      case 'synced':
        synced(input.answer);
        return;
      case 'conversation':
        picture.trust(input.conversation.id);
        picture.startAnew(input.conversation);
        adopt(input.conversation);
        return;
      case 'message':
        update(input.message.conversationId, (one) => replaceMessage(one, input.message));
        return;
      case 'doubted':
        picture.doubt(input.conversationId);
        return;
      case 'conversation-gone':
        remove(input.conversationId);
        return;
      case 'older':
        update(input.conversationId, (one) => addOlder(one, input.messages));
        return;
      case 'trimmed':
        update(input.conversationId, trim);
        return;
      case 'queued':
        if (sendOf(state.outbox, input.outgoing.clientMsgId)) return;
        state.outbox = [...state.outbox, { ...input.outgoing, order: (state.outbox.at(-1)?.order ?? 0) + 1 }];
        changed(input.outgoing.conversationId);
        return;
      case 'send':
        changeOutgoing(input);
        return;
      case 'discarded': {
        const outgoing = sendOf(state.outbox, input.clientMsgId);
        if (outgoing) picture.dropOutgoing(outgoing);
        return;
      }
      case 'draft':
        if (input.text === '') state.drafts.delete(input.conversationId);
        else state.drafts.set(input.conversationId, input.text);
        changed(input.conversationId);
        return;
      case 'read': {
        const { conversationId, seqId } = input;
        if (seqId <= (get(conversationId)?.conversation.lastReadSeqId ?? 0)) return;
        state.untoldReads.set(conversationId, seqId);
        update(conversationId, (one) => moveRead(one, seqId));
        return;
      }
      case 'read-told': {
        const { conversationId, seqId } = input;
        if ((state.untoldReads.get(conversationId) ?? 0) <= seqId) state.untoldReads.delete(conversationId);
        changed(conversationId);
        return;
      }
    }
  }

  return {
    state,
    apply: (input) => picture.during(() => apply(input)),
    change: (run) => picture.during(() => run(picture)),
  };
}
