import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WorkflowHandle } from '@temporalio/client';
import { eventually } from '../support/eventually.ts';
import { type Data, gatewayUrl, newPeople, type Person, password } from '../support/people/people.ts';
import { openSystemTemporal } from '../support/system-temporal.ts';

const client = await openSystemTemporal();

/** Words that no other test uses. */
const word = (what: string) => `zebra${what}quagga`;

/** All that is written anywhere in a value, bytes as text. */
function textsIn(value: unknown, found: string[] = [], seen = new Set<unknown>()): string[] {
  if (typeof value === 'string') found.push(value);
  if (value === null || typeof value !== 'object' || seen.has(value)) return found;
  seen.add(value);
  if (value instanceof Uint8Array) found.push(Buffer.from(value).toString('utf8'));
  else for (const [name, one] of Object.entries(value)) textsIn(one, textsIn(name, found, seen), seen);
  return found;
}

/** Whatever Temporal keeps or shows of a run: history, memo, search attributes, summary, current details, id. */
async function everythingOf(handle: WorkflowHandle): Promise<string> {
  const [history, described, metadata] = await Promise.all([
    handle.fetchHistory(),
    handle.describe(),
    handle.query('__temporal_workflow_metadata'),
  ]);
  return [handle.workflowId, ...textsIn(history), ...textsIn(described.raw), ...textsIn(metadata)].join('\n');
}

test('no history, summary, detail or id of a flow contains users’ texts', async () => {
  const [ann, bob, cy] = (await newPeople(3)) as [Person, Person, Person];
  const post = async (person: Person, path: string, body: object): Promise<Data> => {
    const response = await fetch(new URL(path, gatewayUrl), {
      method: 'POST',
      headers: {
        authorization: `Bearer ${person.accessToken}`,
        'content-type': 'application/json',
        'idempotency-key': word('key'),
      },
      body: JSON.stringify(body),
    });
    assert.equal(response.status, path.endsWith('/members') ? 200 : 201, await response.clone().text());
    return response.json();
  };
  await ann.rest.put('/users/profile', { displayName: word('displayname') });
  const { request } = await post(ann, '/friends/requests', {
    targetUserId: bob.id,
    message: word('request'),
  });
  assert.equal(request.message, word('request'));
  await bob.rest.put(`/friends/requests/${request.id}`, { action: 1 });
  const { conversation } = await post(ann, '/conversations', {
    type: 2,
    name: word('groupname'),
    description: word('description'),
    avatarUrl: `https://pictures.example/${word('picture')}`,
    memberIds: [bob.id],
  });
  assert.deepEqual(
    [conversation.name, conversation.description, conversation.avatarUrl],
    [word('groupname'), word('description'), `https://pictures.example/${word('picture')}`],
  );
  await ann.rest.patch(`/conversations/${conversation.id}`, { announcement: word('announcement') });
  await post(ann, `/conversations/${conversation.id}/members`, { userIds: [cy.id] });
  await post(ann, `/conversations/${conversation.id}/messages`, {
    clientMsgId: word('clientmsgid'),
    content: word('content'),
  });
  const erased = await fetch(new URL('/users/profile', gatewayUrl), {
    method: 'DELETE',
    headers: { authorization: `Bearer ${ann.accessToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ password }),
  });
  assert.equal(erased.status, 202);
  const group = client.workflow.getHandle(`erase-user/${ann.id}`);
  assert.equal((await group.result()).ok, true);

  const about = [ann, bob, cy].map(({ id }) => `UserIds = "${id}"`).join(' OR ');
  const handles: WorkflowHandle[] = [];
  await eventually(async () => {
    handles.length = 0;
    for await (const { workflowId, runId } of client.workflow.list({ query: about })) {
      handles.push(client.workflow.getHandle(workflowId, runId));
    }
    const types = new Set(handles.map(({ workflowId }) => workflowId.split('/')[0]));
    return ['friend-request', 'create-group', 'change-members', 'erase-user'].every((one) => types.has(one));
  });
  for (const handle of handles) {
    const all = await everythingOf(handle);
    assert.ok(
      all.includes(ann.id) || all.includes(bob.id) || all.includes(cy.id),
      'it is seen what there is',
    );
    const hidden = [all, ...[...all.matchAll(/[\w+/=-]{16,}/g)].map(([text]) => decoded(text))].join('\n');
    assert.doesNotMatch(hidden, /zebra\w+quagga|pictures\.example/, handle.workflowId);
    assert.ok(!all.includes(ann.user.username), handle.workflowId);
  }
});

const decoded = (text: string): string => Buffer.from(text, 'base64url').toString('utf8');
