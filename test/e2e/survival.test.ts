import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { gateway2Url, gatewayUrl, newFriends, type Person, wholeHistory } from '../support/people/people.ts';
import { createReconnectingClient } from '../support/people/reconnecting-client.ts';
import { killService, processesHere, runningProcess } from '../support/servers/services.ts';

const messages = 150;
const killAt = 40;
const deadlineMs = 60_000;

let ann: Person;
let bob: Person;
let conversationId: string;
before(async () => {
  ({ ann, bob, conversationId } = await newFriends());
});

const isReady = async (url: string) => {
  try {
    return (await fetch(new URL('/readyz', url))).ok;
  } catch {
    return false;
  }
};

for (const service of processesHere()) {
  test(`an acknowledged message survives kill -9 of ${service}, once and in order`, {
    timeout: 120_000,
  }, async () => {
    const already = (await wholeHistory(ann, conversationId)).length;
    const annClient = await createReconnectingClient(ann);
    const bobClient = await createReconnectingClient(bob, gateway2Url);
    const acknowledged: { seqId: number; content: string }[] = [];
    let killed: { pid: number } | undefined;
    for (let n = 0; n < messages; n += 1) {
      const content = `${service} ${n}`;
      const sent = annClient.say(conversationId, content, content);
      if (n === killAt) killed = killService(service);
      acknowledged.push({ seqId: (await sent).seqId, content });
    }

    const history = await wholeHistory(bob, conversationId);
    assert.deepEqual(
      history.map(({ seqId }) => seqId),
      Array.from({ length: already + messages }, (_, n) => n + 1),
    );
    assert.deepEqual(
      history.slice(already).map(({ seqId, content }) => ({ seqId, content })),
      acknowledged,
    );
    await bobClient.catchUp(conversationId);
    assert.deepEqual(
      [...bobClient.received.values()].toSorted((a, b) => a.seqId - b.seqId),
      history,
    );
    await Promise.all([annClient.close(), bobClient.close()]);
    await eventually(() => runningProcess(service).pid !== killed?.pid, deadlineMs);
    await eventually(async () => (await isReady(gatewayUrl)) && (await isReady(gateway2Url)), deadlineMs);
  });
}
