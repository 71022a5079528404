import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { newGuests } from '../support/people/guests.ts';
import { befriend, gateway2Url, gatewayUrl, type Person, wholeHistory } from '../support/people/people.ts';
import { sendSteadily } from '../support/people/steady-sender.ts';
import { everythingReady, kill } from '../support/servers/outage.ts';

/** Their conversations are spread over all partitions of the upstream topic, and over both gateways. */
const pairs = 12;
const sendEveryMs = 100;
const messagesBefore = 10;
/** From the kill to everybody's next acknowledgement, in milliseconds. Most of it is the start of the process. */
const withinMs = 6000;
const giveUpMs = 60_000;

type Talk = { person: Person; conversationId: string };
let talks: Talk[];

before(async () => {
  const guests = await newGuests(2 * pairs);
  talks = await Promise.all(
    Array.from({ length: pairs }, async (_, index) => {
      const [person, friend] = guests.slice(2 * index) as [Person, Person];
      return { person, conversationId: await befriend(person, friend) };
    }),
  );
});

for (const part of ['kafka', 'database', 'redis', 'temporal', 'repo', 'logic', 'task', 'gateway-1']) {
  test(`${part} is killed: everybody has the next acknowledgement within ${withinMs / 1000} s`, {
    timeout: 240_000,
  }, async (t) => {
    await everythingReady();
    const senders = talks.map((talk, index) =>
      sendSteadily({ ...talk, gatewayUrl: index % 2 === 0 ? gatewayUrl : gateway2Url, everyMs: sendEveryMs }),
    );
    const stop = () => Promise.all(senders.map((sender) => sender.stop()));
    t.after(stop);
    await eventually(() => senders.every(({ acknowledged }) => acknowledged.length > messagesBefore), 30_000);

    const { recovered } = kill(part);
    const killedAt = performance.now();
    const firstAcks = () => senders.map(({ firstAckAfter }) => firstAckAfter(killedAt) ?? Number.NaN);
    await eventually(() => !firstAcks().some(Number.isNaN), giveUpMs);
    const waits = firstAcks().map((at) => Math.round(at - killedAt));
    t.diagnostic(
      `${part}: the next acknowledgement came after ${Math.min(...waits)} to ${Math.max(...waits)} ms`,
    );
    await recovered();
    await stop();

    for (const [index, { acknowledged }] of senders.entries()) {
      const { person, conversationId } = talks[index] as Talk;
      const history = await wholeHistory(person, conversationId);
      assert.deepEqual(
        history.map(({ seqId }) => seqId),
        history.map((_, before) => before + 1),
      );
      for (const { clientMsgId, seqId } of acknowledged)
        assert.equal(history[seqId - 1]?.content, clientMsgId);
      assert.equal(new Set(history.map(({ content }) => content)).size, history.length);
    }
    assert.ok(Math.max(...waits) <= withinMs, `the last acknowledgement came after ${Math.max(...waits)} ms`);
  });
}
