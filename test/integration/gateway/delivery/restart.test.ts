import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../../support/eventually.ts';
import { openGatewaySystem } from '../../../support/gateway/gateway-system.ts';

const system = await openGatewaySystem();

const to = (userId: string, seqId: number) => ({
  target_user_ids: [userId],
  message_id: seqId,
  conversation_id: '5',
  sender_info: { id: '99', username: 'sender', display_name: 'sender', avatar_url: '', is_guest: false },
  message_type: 1,
  content: `message ${seqId}`,
  seq_id: seqId,
  client_msg_id: `id-${seqId}`,
  created_at: 1,
});

async function staleRecords(metricsPort: number): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  return Number(/^gochat_gateway_stale_records_total (\d+)$/m.exec(text)?.[1]);
}

test('a restarted gateway begins at the end of its topic, and takes no record for its previous start', async () => {
  const first = await system.start();
  const before = await system.connect(first.url, '7');
  await first.deliver({ messages: [to('7', 1)] });
  await before.expect('new-message');
  const oldBoot = first.gateway.bootId;
  await first.stop();
  // Routed while the gateway was down.
  await first.deliver({ messages: [to('7', 2)] });

  const second = await system.start({ GATEWAY_ID: first.id });
  assert.notEqual(second.gateway.bootId, oldBoot);
  const socket = await system.connect(second.url, '7');
  // Routed by a process that does not know the new start yet: the connected clients have synced this message.
  await second.deliver({ gateway_boot_id: oldBoot, messages: [to('7', 3)] });
  await second.deliver({ messages: [to('7', 4)] });
  await socket.expect('new-message', ({ seqId }) => seqId === 4);
  assert.deepEqual(
    socket.all('new-message').map(({ seqId }) => seqId),
    [4],
  );
  // It has not even read the records from before its start.
  assert.equal(await staleRecords(second.gateway.metricsPort), 1);
});

test('two gateways with the same id that run at the same time each take only their own records', async () => {
  const old = await system.start();
  const frozen = await system.connect(old.url, '7');
  const next = await system.start({ GATEWAY_ID: old.id });
  const socket = await system.connect(next.url, '7');
  await old.deliver({ messages: [to('7', 1)] });
  await next.deliver({ messages: [to('7', 2)] });
  await Promise.all([frozen.expect('new-message'), socket.expect('new-message')]);
  await eventually(async () => (await staleRecords(old.gateway.metricsPort)) === 1);
  assert.deepEqual(
    [frozen, socket].map((one) => one.all('new-message').map(({ seqId }) => seqId)),
    [[1], [2]],
  );
});
