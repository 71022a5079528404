import assert from 'node:assert/strict';
import type { Writable } from 'node:stream';
import { test } from 'node:test';
import * as ws from 'ws';
import { encodeForeignFrame } from './frame-buffer.ts';

// The types of ws lack Receiver.
const { Receiver } = ws as unknown as {
  Receiver: new (options: { isServer: boolean; maxPayload: number }) => Writable;
};

for (const length of [0, 1, 60, 100, 125, 126, 60_000, 65_400, 65_536, 200_000]) {
  test(`a frame around ${length} characters is read back by a WebSocket receiver`, async () => {
    const data = { content: 'č'.repeat(length) };
    const receiver = new Receiver({ isServer: false, maxPayload: 10 * 1024 * 1024 });
    const message = new Promise<string>((resolve, reject) => {
      receiver.on('message', (bytes: Buffer) => resolve(bytes.toString('utf8')));
      receiver.on('error', reject);
    });
    receiver.write(encodeForeignFrame('new-message', data));
    const frame = JSON.parse(await message);
    assert.deepEqual([frame.type, frame.data, typeof frame.timestamp], ['new-message', data, 'number']);
  });
}
