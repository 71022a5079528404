import { messageType } from '../../../lib/domain/enumerations.ts';
import type { DownstreamMessage } from '../../../lib/records/records.ts';
import type { Chat } from '../people/people.ts';

/** Ann's message to conversation 77, as logic produces it for a gateway. */
export const messageRecord = (more: Partial<DownstreamMessage>): DownstreamMessage => ({
  message_id: 1,
  conversation_id: '77',
  sender_info: { id: '9', username: 'ann', display_name: 'Ann', avatar_url: '' },
  message_type: messageType.text,
  content: 'hello',
  seq_id: 1,
  client_msg_id: 'c-1',
  created_at: 5,
  ...more,
});

/** The acknowledgement of a message that a socket sent to conversation 77. */
export const ackRecord = (session: Chat, clientMsgId: string, seqId: number) => ({
  session_id: session.sessionId,
  conversation_id: '77',
  client_msg_id: clientMsgId,
  message_id: 100 + seqId,
  seq_id: seqId,
  created_at: 5,
  duplicate: false,
});

export const eventRecord = (targets: string[], name = 'e') => ({
  event_id: name,
  frame: 'conversation-updated',
  data: { name },
  target_user_ids: targets,
});
