import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import {
  type ArchiveColdMessagesInput,
  type ArchiveColdMessagesResult,
  archiveColdMessages,
} from '../../workflows/archive-cold-messages/contract.ts';
import {
  type CompactColdMessagesResult,
  compactColdMessages,
} from '../../workflows/compact-cold-messages/contract.ts';
import { eventually } from '../support/eventually.ts';
import { gatewayUrl, newGroup, newPeople, type Person, wholeHistory } from '../support/people/people.ts';
import { createReconnectingClient } from '../support/people/reconnecting-client.ts';
import { isRunning, killService, runningProcess } from '../support/servers/services.ts';
import { openSystemTemporal } from '../support/system-temporal.ts';

const client = await openSystemTemporal();

function run<Result>(
  { workflowType, taskQueue }: { workflowType: string; taskQueue: string },
  input: object,
) {
  const start = { taskQueue, workflowId: `${workflowType}-${randomUUID()}`, args: [input] };
  return client.workflow.execute(workflowType, start) as Promise<Result>;
}

const archive = (input: ArchiveColdMessagesInput) =>
  run<ArchiveColdMessagesResult>(archiveColdMessages, {
    olderThanDays: 0,
    keepNewest: 3,
    graceHours: 0,
    ...input,
  });

async function newHistory(count: number) {
  const [ann, bob] = (await newPeople(2)) as [Person, Person];
  const id = await newGroup(ann, [bob]);
  for (let n = 1; n <= count; n++) {
    await ann.rest.post(`/conversations/${id}/messages`, { clientMsgId: `id-${n}`, content: `text ${n}` });
  }
  return { ann, bob, id };
}

/** A page of messages as it is answered, with its ETag. */
async function page(person: Person, conversationId: string, query: string) {
  const response = await fetch(`${gatewayUrl}/conversations/${conversationId}/messages?${query}`, {
    headers: { authorization: `Bearer ${person.accessToken}` },
  });
  return [response.status, response.headers.get('etag'), await response.text()];
}

test('messages that are archived are answered by the same bytes as before', { timeout: 60_000 }, async () => {
  const { ann, bob, id } = await newHistory(30);
  const queries = [
    '',
    'beforeSeq=10',
    'afterSeq=5&limit=3',
    'afterSeq=25',
    'aroundSeq=27&limit=6',
    'aroundSeq=2&limit=4',
  ];
  const pages = () => Promise.all(queries.map((query) => page(bob, id, query)));
  const sync = () => bob.rest.post('/sync', { cursors: { [id]: 2 } });
  const before = await pages();
  const { serverTime: _, ...synced } = (await sync()) as { serverTime: number };
  const result = await archive({ conversationId: id });
  assert.deepEqual([result.archived, result.objects, result.deleted, result.kept], [27, 1, 27, 0]);
  assert.deepEqual(await pages(), before);
  const { serverTime: __, ...again } = (await sync()) as { serverTime: number };
  assert.deepEqual(again, synced);

  const retry = await ann.rest.post(`/conversations/${id}/messages`, {
    clientMsgId: 'id-4',
    content: 'text 4',
  });
  assert.equal((retry as { message: { seqId: number } }).message.seqId, 4);
});

test('the owner recalls an archived message, and its text leaves the store', {
  timeout: 60_000,
}, async () => {
  const { ann, bob, id } = await newHistory(8);
  await archive({ conversationId: id });
  const [, second] = await wholeHistory(bob, id);
  await ann.rest.delete(`/conversations/${id}/messages/${second?.id}`);
  const recalled = (await wholeHistory(bob, id))[1];
  assert.deepEqual([recalled?.deleted, recalled?.content, recalled?.seqId], [true, '', 2]);
  const { objects } = await run<CompactColdMessagesResult>(compactColdMessages, { conversationId: id });
  assert.equal(objects, 1);
  assert.deepEqual((await wholeHistory(bob, id))[1], recalled);
});

test('while messages are sent, archived and changed, and im-repo and the worker are killed, none is lost or doubled', {
  timeout: 180_000,
}, async () => {
  const { ann, bob, id } = await newHistory(20);
  const sender = await createReconnectingClient(ann);
  let working = true;
  const runs: Promise<unknown>[] = [];
  const move = (async () => {
    while (working) {
      const input = { conversationId: id };
      runs.push(archive(input), run(compactColdMessages, input));
      await Promise.allSettled(runs);
    }
  })();
  for (let n = 21; n <= 120; n++) {
    await sender.say(id, `id-${n}`, `text ${n}`);
    if (n % 40 === 0) killService(isRunning('core') ? 'core' : 'repo');
    if (n % 60 === 0) killService('task');
  }
  working = false;
  await move;
  await Promise.all(runs);
  await sender.close();
  await eventually(() => runningProcess('task').pid !== undefined);
  const read = async () => (await wholeHistory(bob, id)).map(({ seqId, content }) => [seqId, content]);
  const expected = Array.from({ length: 120 }, (_, n) => [n + 1, `text ${n + 1}`]);
  assert.deepEqual(await read(), expected);
  await archive({ conversationId: id, keepNewest: 1 });
  assert.deepEqual(await read(), expected);
});
