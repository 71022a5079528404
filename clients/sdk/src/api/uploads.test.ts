import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../../../test/support/eventually.ts';
import { scene } from '../../testing/client-scene.ts';

const picture = new Blob(['12345'], { type: 'image/png' });
const text = new Blob(['123'], { type: 'text/plain' });

test('uploaded files are sent as messages of their own, before the text, and the last one is returned', async () => {
  const { network, room, client } = await scene();
  const progress: unknown[] = [];
  const one = room.upload(picture, { name: 'cat.png', onProgress: (told) => progress.push(told) });
  assert.equal(one.file, undefined);
  const { name, size, mime } = await one.done;
  assert.deepEqual([name, size, mime], ['cat.png', 5, 'image/png']);
  assert.deepEqual(progress, [
    { loaded: 0, total: 5 },
    { loaded: 5, total: 5 },
  ]);
  const other = room.upload(text);
  await other.done;
  const sent = room.send({ text: 'Look!', files: [one, other], replyTo: 3 });
  await sent.stored;
  const frames = network.sentFrames.filter(({ type }) => type === 'send-message').map(({ data }) => data);
  assert.deepEqual(
    frames.map((data) => [data?.messageType, data?.replyToSeqId]),
    [
      [2, 3],
      [3, 3],
      [1, 3],
    ],
  );
  assert.equal(JSON.parse(String(frames[0]?.content)).url, '/files/f1?s=1');
  assert.deepEqual([frames[2]?.clientMsgId, frames[2]?.content], [sent.clientMsgId, 'Look!']);

  const alone = room.send({ files: [await one.done] });
  await alone.stored;
  assert.equal(network.sentFrames.at(-1)?.data?.messageType, 2);
  await client.disconnect();
});

test('an upload that is not done can not be sent, and one that is cancelled says so', async () => {
  const { room, client, network } = await scene();
  const upload = room.upload(picture);
  assert.throws(() => room.send({ files: [upload] }), { code: 'INVALID_ARGUMENT' });
  await upload.done;
  const cancel = new AbortController();
  const other = room.upload(picture, { signal: cancel.signal });
  cancel.abort();
  await assert.rejects(other.done, { code: 'CANCELLED', retryable: false });
  network.down();
  const lost = room.upload(picture);
  await assert.rejects(lost.done, { code: 'UNAVAILABLE', retryable: true });
  // Nobody has to listen to one that fails.
  room.upload(picture);
  await eventually(() => network.calls.filter((call) => call === 'POST /files').length >= 1);
  await client.disconnect();
});
