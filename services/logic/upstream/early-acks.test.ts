import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AcknowledgeSendsRequest } from '../../../lib/gen/im_gateway/v1/pusher.ts';
import type { SavedMessage } from '../../../lib/gen/im_repo/v1/message.ts';
import type { GatewayPeers, Peer } from '../../../lib/grpc/gateway-peers.ts';
import { createMetrics } from '../../../lib/metrics.ts';
import type { UpstreamMessage } from '../../../lib/records/records.ts';
import { createEarlyAcks, type OwnSends } from './early-acks.ts';
import type { Item } from './item.ts';
import type { Outcome } from './save.ts';

const saved = (seqId: number, more: Partial<UpstreamMessage> = {}): Outcome => ({
  kind: 'saved',
  item: {} as Item,
  message: {
    user_id: '7',
    conversation_id: '9',
    message_type: 1,
    content: 'hello',
    client_msg_id: `m${seqId}`,
    timestamp: 1000,
    gateway_id: 'g1',
    gateway_boot_id: 'b1',
    session_id: 's1',
    ...more,
  },
  saved: { messageId: 100 + seqId, seqId, createdAt: 5, duplicate: false } as SavedMessage,
  sender: undefined,
  recipients: undefined,
});

/** Acknowledges to gateways that answer when the test lets them. */
function toGateways(ownSends: OwnSends = { settle: () => false }) {
  const calls: { address: string; request: AcknowledgeSendsRequest }[] = [];
  const answer = Promise.withResolvers<object>();
  const peers: GatewayPeers = {
    of: ({ pushAddress }) =>
      ({
        acknowledgeSends(request: AcknowledgeSendsRequest) {
          calls.push({ address: pushAddress, request });
          return answer.promise;
        },
      }) as unknown as Peer,
    close: () => undefined,
  };
  const sent = createMetrics('test').counter('acks_total', 'Calls.', ['result']);
  const acks = createEarlyAcks({ peers, ownSends, sent });
  const learn = (bootId: string) =>
    acks.learn({
      conversationId: '9',
      fanout: false,
      broadcast: false,
      gateways: [{ gatewayId: 'g1', bootId, userIds: [], pushAddress: 'host:1' }],
      memberVersion: 1,
      newcomerIds: [],
    });
  return { acks, calls, learn, answer: () => answer.resolve({}) };
}

test('a stored message is acknowledged to the process of its gateway that sent it', () => {
  const { acks, calls, learn } = toGateways();
  acks.send([saved(1)]);
  assert.equal(calls.length, 0, 'where the gateway is, is not known yet');
  learn('b1');
  acks.send([saved(2)]);
  acks.send([saved(3, { gateway_boot_id: 'an earlier start' })]);
  assert.deepEqual(
    calls.map(({ address, request }) => [address, request.bootId, request.acknowledgements]),
    [
      [
        'host:1',
        'b1',
        [
          {
            sessionId: 's1',
            conversationId: '9',
            clientMsgId: 'm2',
            messageId: 102,
            seqId: 2,
            createdAt: 5,
            duplicate: false,
          },
        ],
      ],
    ],
  );
});

test('messages that come quickly after each other wait for their record', () => {
  const { acks, calls, learn } = toGateways();
  learn('b1');
  acks.send([saved(1), saved(2), saved(3)]);
  assert.equal(calls.length, 0);
});

test('a send of this process is answered without a call', () => {
  const settled: string[] = [];
  const { acks, calls, learn } = toGateways({
    settle: (ack) => settled.push(ack.client_msg_id) > 0,
  });
  learn('b1');
  acks.send([saved(1)]);
  assert.deepEqual([settled, calls.length], [['m1'], 0]);
});

test('a gateway that does not answer gets no more than eight calls', async () => {
  const { acks, calls, learn, answer } = toGateways();
  learn('b1');
  for (let seqId = 1; seqId <= 10; seqId += 1) acks.send([saved(seqId)]);
  assert.equal(calls.length, 8);
  answer();
  await new Promise((resolve) => setImmediate(resolve));
  acks.send([saved(11)]);
  assert.equal(calls.length, 9);
});
