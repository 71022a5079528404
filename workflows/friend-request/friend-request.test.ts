import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { friendRequestStatus } from '../../lib/domain/enumerations.ts';
import { createTestTemporal, type TestTemporal } from '../../test/support/flows/flows.ts';
import { createFriendCalls } from '../../test/support/flows/friend-calls.ts';
import { createFriendRows, type FriendRows } from '../../test/support/flows/friend-rows.ts';
import { friendRequest, friendRequestId } from './contract.ts';

const day = 86_400_000;
const ann = '7';
let temporal: TestTemporal;
let lastUser = 1000;

before(async () => {
  temporal = await createTestTemporal();
});
after(() => temporal?.close());

type Scene = ReturnType<typeof createFriendCalls> & {
  bob: string;
  repo: FriendRows;
  handle: ReturnType<TestTemporal['client']['workflow']['getHandle']>;
};

/** Runs a worker for Ann and a new Bob. */
async function scene(work: (scene: Scene) => Promise<void>): Promise<void> {
  const bob = String(++lastUser);
  const repo = createFriendRows({ now: () => temporal.environment.currentTimeMs(), ttlMs: 30 * day });
  const handle = temporal.client.workflow.getHandle(friendRequestId(ann, bob));
  const calls = createFriendCalls(temporal.client, [ann, bob]);
  try {
    await temporal.withWorker(repo.activities, () => work({ ...calls, bob, repo, handle }));
  } finally {
    // The timer of this run must not fire during the next test.
    await handle.terminate('the test is over').catch(() => undefined);
  }
}

test('an accepted request opens the conversation and closes the flow', () =>
  scene(async ({ request, decide, bob, repo, handle }) => {
    const asked = await request(ann);
    assert.deepEqual(asked, { ok: true, requestId: 'r1' });
    const pending = await handle.query(friendRequest.state);
    assert.deepEqual([pending.phase, pending.requestId, pending.status], ['pending', 'r1', 0]);

    const accepted = await decide(bob, 'r1', 'accept');
    assert.deepEqual(accepted, { ok: true, requestId: 'r1', conversationId: 'c1' });
    const { phase, status, conversationId } = await handle.result();
    assert.deepEqual([phase, status, conversationId], ['closed', 1, 'c1']);
    assert.equal(repo.conversationsOpened, 1);
  }));

test('twenty same requests at once are one request', () =>
  scene(async ({ request, repo }) => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => request(ann, 'one-and-the-same')));
    assert.equal(new Set(answers.map((answer) => JSON.stringify(answer))).size, 1);
    assert.equal(repo.rows.length, 1);
  }));

test('a second request of the same direction is answered with the pending one', () =>
  scene(async ({ request, repo }) => {
    assert.deepEqual(await request(ann), await request(ann));
    assert.equal(repo.rows.length, 1);
  }));

test('a recently rejected requester gets the time to ask again, and the flow closes', () =>
  scene(async ({ request, decide, bob, repo, handle }) => {
    await request(ann);
    await decide(bob, 'r1', 'reject');
    await handle.result();
    const retryAt = (await temporal.environment.currentTimeMs()) + day;
    repo.coolingUntil = retryAt;
    const refusal = { ok: false, code: 'RATE_LIMITED', message: 'RATE_LIMITED', retryAt };
    assert.deepEqual(await request(ann), refusal);
    assert.equal((await handle.result()).phase, 'closed');
    assert.equal(repo.rows.length, 1);
  }));

test('when both ask at once they become friends, once', () =>
  scene(async ({ request, bob, repo, handle }) => {
    const answers = await Promise.all([request(ann), request(bob)]);
    assert.ok(answers.every(({ ok }) => ok));
    const opened = answers.filter((answer) => answer.ok && answer.conversationId === 'c1');
    assert.equal(opened.length, 1);
    await handle.result();
    assert.deepEqual([repo.rows.length, repo.rows[0]?.status, repo.conversationsOpened], [1, 1, 1]);
  }));

test('a request that nobody answers expires after thirty days, and a new one may follow', () =>
  scene(async ({ request, repo, handle }) => {
    await request(ann);
    const before = await temporal.environment.currentTimeMs();
    const { phase, status } = await handle.result();
    assert.deepEqual([phase, status], ['closed', 4]);
    assert.ok((await temporal.environment.currentTimeMs()) - before >= 29 * day);
    assert.equal(repo.rows[0]?.status, 4);

    assert.deepEqual(await request(ann), { ok: true, requestId: 'r2' });
  }));

test('a withdrawal closes the flow, and the target’s decision is refused', () =>
  scene(async ({ request, withdraw, decide, bob, repo, handle }) => {
    await request(ann);
    assert.deepEqual(await withdraw(ann, 'r1'), { ok: true, requestId: 'r1' });
    assert.equal((await handle.result()).status, 5);
    const decided = await decide(bob, 'r1', 'accept');
    assert.equal(!decided.ok && decided.code, 'REQUEST_ALREADY_HANDLED');
    assert.equal(repo.conversationsOpened, 0);
  }));

test('a rejected request leaves room for another one', () =>
  scene(async ({ request, decide, bob, handle }) => {
    await request(ann);
    assert.ok((await decide(bob, 'r1', 'reject')).ok);
    await handle.result();
    assert.deepEqual(await request(bob), { ok: true, requestId: 'r2' });
  }));

test('a decision finds the request also after its flow has ended', () =>
  scene(async ({ request, decide, bob, repo, handle }) => {
    await request(ann);
    await handle.terminate('lost');
    assert.deepEqual(await decide(bob, 'r1', 'accept'), {
      ok: true,
      requestId: 'r1',
      conversationId: 'c1',
    });
    await handle.result();
    assert.equal(repo.conversationsOpened, 1);
  }));

test('a refused decision starts the expiry timer of a request whose flow had ended', () =>
  scene(async ({ request, decide, repo, handle }) => {
    await request(ann);
    await handle.terminate('lost');
    const refused = await decide(ann, 'r1', 'accept');
    assert.equal(!refused.ok && refused.code, 'PERMISSION_DENIED');
    assert.equal((await handle.result()).status, 4);
    assert.equal(repo.rows[0]?.status, 4);
  }));

test('a request that expired after its flow had ended is marked as expired by the next command', () =>
  scene(async ({ request, decide, bob, repo, handle }) => {
    await request(ann);
    await handle.terminate('lost');
    const [row] = repo.rows;
    assert.ok(row);
    // im-repo returns a pending request whose time is over as expired.
    row.status = friendRequestStatus.expired;
    const refused = await decide(bob, 'r1', 'accept');
    assert.equal(!refused.ok && refused.code, 'REQUEST_ALREADY_HANDLED');
    assert.equal((await handle.result()).status, 4);
  }));

test('a decision that started a flow is carried out even if its update is lost', () =>
  scene(async ({ request, bob, repo, handle }) => {
    await request(ann);
    await handle.terminate('lost');
    const input = { attempt: 'lost-update', actorId: bob, requestId: 'r1', action: 'accept' } as const;
    await temporal.client.workflow.execute(friendRequest.workflowType, {
      workflowId: friendRequestId(ann, bob),
      taskQueue: 'gochat-interactive',
      args: [{ userIds: [ann, bob], opening: { update: 'decide', input } }],
    });
    assert.deepEqual([repo.rows[0]?.status, repo.conversationsOpened], [1, 1]);
  }));

test('a request that a block settled outside the flow allows the next one', () =>
  scene(async ({ request, decide, bob, repo }) => {
    await request(ann);
    const [row] = repo.rows;
    assert.ok(row);
    row.status = friendRequestStatus.rejected;
    const decided = await decide(bob, 'r1', 'accept');
    assert.equal(!decided.ok && decided.code, 'REQUEST_ALREADY_HANDLED');
    assert.deepEqual(await request(ann), { ok: true, requestId: 'r2' });
  }));

test('a request between friends is refused, and no flow stays open', () =>
  scene(async ({ request, repo, handle }) => {
    repo.friends = true;
    const refused = await request(ann);
    assert.equal(!refused.ok && refused.code, 'ALREADY_FRIENDS');
    assert.equal((await handle.result()).phase, 'closed');
  }));

test('the conversation is opened however often that fails at first', () =>
  scene(async ({ request, decide, bob, repo }) => {
    repo.failuresToOpen = 3;
    await request(ann);
    const accepted = await decide(bob, 'r1', 'accept');
    assert.equal(accepted.ok && accepted.conversationId, 'c1');
    assert.ok(repo.failuresToOpen < 0);
  }));
