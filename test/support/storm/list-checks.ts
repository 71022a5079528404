import type { Conversation } from '../../../clients/sdk/rest.ts';
import type { Person } from '../people/people.ts';
import { retryUntilAccepted } from '../people/retry-until-accepted.ts';
import type { Device } from './device.ts';
import type { Participants } from './participants.ts';
import type { Findings } from './records/findings.ts';
import type { Ledger } from './records/ledger.ts';
import type { StoredState } from './stored-state.ts';

/** Compares the conversation lists of all users with the stored rows. */
export async function checkLists(
  participants: Participants,
  states: ReadonlyMap<string, StoredState>,
  findings: Findings,
): Promise<void> {
  for (const person of participants.people) {
    const expected = participants.conversations
      .filter(
        ({ id, members }) =>
          members.includes(person) && !(person === participants.leaver && id === participants.leaves),
      )
      .map(({ id }) => id);
    const { answer } = await retryUntilAccepted(() =>
      person.rest.get<{ conversations: Conversation[] }>('/conversations?limit=200'),
    );
    const listed = new Map(answer.conversations.map((conversation) => [conversation.id, conversation]));
    for (const id of listed.keys()) {
      if (!expected.includes(id)) findings.add('a list shows one’s own conversations', `${person.id}: ${id}`);
    }
    for (const id of expected) {
      const conversation = listed.get(id);
      const state = states.get(id);
      if (conversation && state) checkEntry(person, conversation, state, findings);
      else findings.add('a list shows one’s own conversations', `${person.id} misses ${id}`);
    }
  }
}

function checkEntry(person: Person, shown: Conversation, state: StoredState, findings: Findings): void {
  const pointer = state.readPointers.get(person.id) ?? 0;
  const expected = {
    lastSeqId: state.head.seqId,
    lastReadSeqId: pointer,
    unreadCount: state.head.seqId - pointer,
    lastMessageId: state.head.messageId,
  };
  const { lastSeqId, lastReadSeqId, unreadCount } = shown;
  const actual = { lastSeqId, lastReadSeqId, unreadCount, lastMessageId: shown.lastMessage?.id ?? 0 };
  if (JSON.stringify(actual) === JSON.stringify(expected)) return;
  findings.add(
    'unread and heads are the truth',
    `${person.id} is shown ${shown.id} as ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`,
  );
}

/**
 * Checks that each read pointer is at the last message that its user read or sent: not beyond, and not before a sent
 * message.
 */
export function checkReadPointers(
  devices: readonly Device[],
  ledger: Ledger,
  participants: Participants,
  states: ReadonlyMap<string, StoredState>,
  findings: Findings,
): void {
  for (const { id, members, head } of participants.conversations) {
    for (const { id: userId } of members) {
      const written = [...ledger.sent.values()]
        .filter(({ senderId, conversationId }) => senderId === userId && conversationId === id)
        .map(({ acks }) => acks[0]?.seqId ?? 0);
      const min = Math.max(0, ...written);
      const read = devices
        .filter(({ person }) => person.id === userId)
        .map(({ readMarks }) => readMarks.get(id) ?? 0);
      const max = Math.max(head, min, ...read);
      const pointer = states.get(id)?.readPointers.get(userId) ?? 0;
      if (pointer >= min && pointer <= max) continue;
      findings.add(
        'read pointers are where somebody read',
        `${userId} in ${id}: ${pointer}, not ${min} to ${max}`,
      );
    }
  }
}
