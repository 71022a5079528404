import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openConversationRepo } from '../../../support/repo/open-repo.ts';

const { repo } = await openConversationRepo();

const edit = (conversationId: string, actorId: string, messageId: number, content: string) =>
  repo.messages.editMessage({ conversationId, actorId, messageId, content, editWindowMs: 60_000 });

test('a client gets the newest state of each message that changed after the last change it knows', async () => {
  const { users, id } = await repo.newConversationOf(2);
  const [ann, bob] = users;
  const ids = [await repo.say(id, ann), await repo.say(id, ann), await repo.say(id, bob)] as const;
  await edit(id, ann, ids[0], 'first');
  await edit(id, ann, ids[1], 'second');
  await edit(id, ann, ids[0], 'first again');
  await repo.recall(id, bob, ids[2]);
  const changesAfter = async (changeSeq: number) => {
    const { changes, hasMore, conversations } = await repo.sync(
      bob,
      { [id]: 3 },
      { changes: { [id]: changeSeq } },
    );
    assert.deepEqual([hasMore, conversations], [false, []]);
    return changes.map((change) => {
      assert.equal(change.conversationId, id);
      assert.equal(change.changeSeq, change.message?.changeSeq);
      return [change.changeSeq, change.message?.seqId, change.message?.content];
    });
  };
  assert.deepEqual(await changesAfter(0), [
    [2, 2, 'second'],
    [3, 1, 'first again'],
    [4, 3, ''],
  ]);
  assert.deepEqual(await changesAfter(2), [
    [3, 1, 'first again'],
    [4, 3, ''],
  ]);
  assert.deepEqual(await changesAfter(4), []);
  const { changes } = await repo.sync(bob, { [id]: 3 });
  assert.deepEqual(changes, []);
});

test('changes wait until the client has the messages, and count towards the messages of an answer', async () => {
  const { users, id } = await repo.newConversationOf(2);
  const [ann, bob] = users;
  for (let n = 1; n <= 6; n += 1) await edit(id, ann, await repo.say(id, ann), `edited ${n}`);
  const first = await repo.sync(bob, { [id]: 0 }, { changes: { [id]: 0 }, limitTotal: 4 });
  assert.deepEqual([first.hasMore, first.changes], [true, []]);
  const second = await repo.sync(bob, { [id]: 4 }, { changes: { [id]: 0 }, limitTotal: 4 });
  assert.equal(second.hasMore, true);
  assert.deepEqual(
    second.changes.map(({ changeSeq }) => changeSeq),
    [1, 2],
  );
  const third = await repo.sync(bob, { [id]: 6 }, { changes: { [id]: 2 }, limitTotal: 4 });
  assert.equal(third.hasMore, false);
  assert.deepEqual(
    third.changes.map(({ changeSeq }) => changeSeq),
    [3, 4, 5, 6],
  );
});

test('a client that asks on comes to the last change, in several conversations and with long texts', async () => {
  const [me = '', other = ''] = await repo.newUsers(2);
  const ids = [];
  for (let n = 0; n < 7; n += 1) {
    const id = await repo.newConversation([me, other]);
    ids.push(id);
    for (let m = 0; m < 9; m += 1) await edit(id, other, await repo.say(id, other), '😀'.repeat(4000));
  }
  const cursors = Object.fromEntries(ids.map((id) => [id, 9]));
  const known = Object.fromEntries(ids.map((id) => [id, 0]));
  let answers = 0;
  for (let more = true; more; answers += 1) {
    const { changes, hasMore } = await repo.sync(me, cursors, { changes: known });
    assert.ok(changes.length > 0);
    for (const { conversationId, changeSeq } of changes) {
      assert.equal(changeSeq, (known[conversationId] ?? 0) + 1);
      known[conversationId] = changeSeq;
    }
    more = hasMore;
  }
  assert.ok(answers > 1);
  assert.deepEqual(Object.values(known), Array(7).fill(9));
});

test('who left gets no changes', async () => {
  const { owner, bob, id } = await repo.newGroupWithRoles();
  await edit(id, owner, await repo.say(id, owner), 'edited');
  await repo.removeMembers(owner, id, [bob]);
  const { changes, removed } = await repo.sync(bob, { [id]: 1 }, { changes: { [id]: 0 } });
  assert.deepEqual([changes, removed], [[], [id]]);
});

/** Runs `work` between the two reads of conversations of the next sync: after its plan, before what it shows. */
async function duringNextSync<T>(work: () => Promise<unknown>, sync: () => Promise<T>): Promise<T> {
  const database = repo.databases.conversations;
  const { query } = database;
  let pending: typeof work | undefined = work;
  try {
    database.query = async (sql, values) => {
      if (sql.startsWith('WITH mine')) {
        const now = pending;
        pending = undefined;
        await now?.();
      }
      return query(sql, values);
    };
    const answer = await sync();
    assert.equal(pending, undefined);
    return answer;
  } finally {
    database.query = query;
  }
}

test('an answer without hasMore holds every change and message up to the numbers that it shows', async () => {
  const { users, id } = await repo.newConversationOf(2);
  const [ann, bob] = users;
  const first = await repo.say(id, ann);
  await repo.say(id, ann);
  const known = { changes: { [id]: 0 } };
  const shown = ({ conversations: [one] }: Awaited<ReturnType<typeof repo.sync>>) => ({
    lastSeqId: one?.conversation?.conversation?.lastSeqId,
    lastChangeSeq: one?.conversation?.conversation?.lastChangeSeq,
    told: one?.messages.map(({ seqId, content }) => [seqId, content]),
    hasMore: one?.hasMore,
  });

  // Changed after the plan: the number is shown, so the change is told, too.
  const changed = await duringNextSync(
    () => edit(id, ann, first, 'edited'),
    () => repo.sync(bob, { [id]: 1 }, known),
  );
  assert.deepEqual(shown(changed), { lastSeqId: 2, lastChangeSeq: 1, told: [[2, 'text']], hasMore: false });
  assert.deepEqual(
    changed.changes.map(({ changeSeq, message }) => [changeSeq, message?.content]),
    [[1, 'edited']],
  );
  assert.equal(changed.hasMore, false);

  // A client that names no changes begins at the number that it is shown, so its messages are as new as that.
  const begun = await duringNextSync(
    () => edit(id, ann, first, 'edited again'),
    () => repo.sync(bob),
  );
  assert.deepEqual(shown(begun), {
    lastSeqId: 2,
    lastChangeSeq: 2,
    told: [
      [1, 'edited again'],
      [2, 'text'],
    ],
    hasMore: false,
  });

  // Sent, and changed, after the plan: the client asks again, and gets the message as it is then.
  const sent = await duringNextSync(
    async () => edit(id, ann, await repo.say(id, ann), 'sent and edited'),
    () => repo.sync(bob, { [id]: 1 }, { changes: { [id]: 2 } }),
  );
  assert.deepEqual(shown(sent), { lastSeqId: 3, lastChangeSeq: 3, told: [[2, 'text']], hasMore: true });
  assert.deepEqual([sent.hasMore, sent.changes], [true, []]);
  const next = await repo.sync(bob, { [id]: 2 }, { changes: { [id]: 2 } });
  assert.deepEqual(shown(next), {
    lastSeqId: 3,
    lastChangeSeq: 3,
    told: [[3, 'sent and edited']],
    hasMore: false,
  });
  assert.deepEqual(
    [next.hasMore, next.changes.map(({ changeSeq, message }) => [changeSeq, message?.seqId])],
    [false, [[3, 3]]],
  );

  // The same for a conversation that is told only because it changed.
  await repo.readTo(bob, id, 3);
  const renamed = await duringNextSync(
    () => repo.say(id, ann),
    () => repo.sync(bob, { [id]: 3 }, { since: 1 }),
  );
  assert.deepEqual([shown(renamed).lastSeqId, shown(renamed).told, renamed.hasMore], [4, [], true]);
});
