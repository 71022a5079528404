import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import {
  type ModerateConversationInput,
  type ModerateConversationResult,
  moderateConversation,
} from '../../workflows/moderate-conversation/contract.ts';
import { chat, gateway2Url, newGroup, newPeople, type Person, refused } from '../support/people/people.ts';
import { openSystemTemporal } from '../support/system-temporal.ts';

const world = '1';
const client = await openSystemTemporal();

const { workflowType, ...start } = moderateConversation;

/** As an operator does it on the command line. */
const moderate = (input: ModerateConversationInput): Promise<ModerateConversationResult> =>
  client.workflow.execute(workflowType, { ...start, workflowId: `moderate-${randomUUID()}`, args: [input] });

test('operators can recall messages and mute users in the world room and in groups', async () => {
  const [ann, bob] = (await newPeople(2)) as [Person, Person];
  const group = await newGroup(ann, [bob]);
  const [annChat, bobChat] = [await chat(ann), await chat(bob, gateway2Url)];
  for (const conversationId of [world, group]) {
    const ack = await annChat.say(conversationId, 'what nobody should read');
    const result = await moderate({
      conversationId,
      recall: [ack.messageId, 1],
      mute: [ann.id, '8999999999999'],
    });
    assert.deepEqual(result, {
      ok: true,
      recalled: 1,
      muted: 1,
      unmuted: 0,
      unknownMessages: [1],
      unknownUsers: ['8999999999999'],
    });
    for (const one of [annChat, bobChat]) {
      const told = await one.expect('message-recalled', (data) => data.messageId === ack.messageId);
      assert.deepEqual(told, { conversationId, messageId: ack.messageId, seqId: ack.seqId, by: '0' });
    }
    await annChat.expect(
      'conversation-updated',
      (data) => data.conversation.id === conversationId && data.conversation.muted === true,
    );
    await assert.rejects(annChat.say(conversationId, 'again'), /MEMBER_MUTED/);
    await refused(
      ann.rest.post(`/conversations/${conversationId}/messages`, { clientMsgId: 'm', content: 'again' }),
      403,
      'MEMBER_MUTED',
    );
    await bobChat.say(conversationId, 'others go on');

    const lifted = await moderate({ conversationId, unmute: [ann.id] });
    assert.equal(lifted.ok && lifted.unmuted, 1);
    await annChat.say(conversationId, 'a kind word');
  }
  await Promise.all([annChat.close(), bobChat.close()]);
});

test('a mute stays after leaving; an unknown conversation is refused', async () => {
  const [ann, bob] = (await newPeople(2)) as [Person, Person];
  const group = await newGroup(ann, [bob]);
  await moderate({ conversationId: group, mute: [bob.id] });
  await bob.rest.delete(`/conversations/${group}/members/${bob.id}`);
  await ann.rest.post(`/conversations/${group}/members`, { userIds: [bob.id] });
  await refused(
    bob.rest.post(`/conversations/${group}/messages`, { clientMsgId: 'm', content: 'I am back' }),
    403,
    'MEMBER_MUTED',
  );
  const nowhere = await moderate({ conversationId: '8999', mute: [bob.id] });
  assert.equal(!nowhere.ok && nowhere.code, 'CONVERSATION_NOT_FOUND');
});
