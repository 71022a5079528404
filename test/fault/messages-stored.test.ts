import assert from 'node:assert/strict';
import { test } from 'node:test';
import { topics } from '../../lib/kafka/topics.ts';
import type { MessagesStored } from '../../lib/records/records.ts';
import { eventually } from '../support/eventually.ts';
import { newGuests } from '../support/people/guests.ts';
import { gateway2Url, gatewayUrl, newGroup, newPerson } from '../support/people/people.ts';
import { sendSteadily } from '../support/people/steady-sender.ts';
import { kill } from '../support/servers/outage.ts';
import { isRunning } from '../support/servers/services.ts';
import { recordsOf } from '../support/topic-records.ts';

const messagesPerKill = 60;
const longestMs = 120_000;

/** The seq ids of a conversation that the records name. */
async function toldSeqs(conversationId: string): Promise<Set<number>> {
  const records = await recordsOf<MessagesStored>(topics.messagesStored);
  const seqs = new Set<number>();
  for (const { conversations } of records) {
    for (const { conversation_id, first_seq_id, last_seq_id } of conversations) {
      if (conversation_id !== conversationId) continue;
      for (let seqId = first_seq_id; seqId <= last_seq_id; seqId += 1) seqs.add(seqId);
    }
  }
  return seqs;
}

test('logic, repo and the broker die while messages are stored: each stored message is told', {
  timeout: 400_000,
}, async () => {
  const owner = await newPerson('owner');
  const guests = await newGuests(1);
  const ids = [await newGroup(owner, guests), await newGroup(owner, guests)] as const;
  const senders = ids.map((conversationId, index) =>
    sendSteadily({
      person: owner,
      conversationId,
      gatewayUrl: index === 0 ? gatewayUrl : gateway2Url,
      everyMs: 20,
    }),
  );
  const acknowledged = () => senders.reduce((sum, sender) => sum + sender.acknowledged.length, 0);
  const victims = [...(isRunning('core') ? ['core', 'core'] : ['logic', 'repo', 'logic']), 'kafka'];
  for (const victim of victims) {
    const before = acknowledged();
    await eventually(() => acknowledged() >= before + messagesPerKill, longestMs);
    await kill(victim).recovered();
  }
  const before = acknowledged();
  await eventually(() => acknowledged() >= before + messagesPerKill, longestMs);
  await Promise.all(senders.map((sender) => sender.stop()));

  for (const [index, id] of ids.entries()) {
    const { conversation } = await owner.rest.get<{ conversation: { lastSeqId: number } }>(
      `/conversations/${id}`,
    );
    assert.ok(conversation.lastSeqId >= (senders[index]?.acknowledged.length ?? 0));
    await eventually(async () => (await toldSeqs(id)).size >= conversation.lastSeqId, longestMs).catch(
      async () => {
        const told = await toldSeqs(id);
        const missing = Array.from({ length: conversation.lastSeqId }, (_, n) => n + 1).filter(
          (n) => !told.has(n),
        );
        assert.fail(`stored and told to nobody: ${missing}`);
      },
    );
  }
});
