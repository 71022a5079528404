import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { atEnd } from '../../test/support/at-end.ts';
import { eventually } from '../../test/support/eventually.ts';
import { GoChatError } from '../errors.ts';
import { FileServiceService, type ReadFileResponse, type UploadFileRequest } from '../gen/im_repo/v1/file.ts';
import { createLogger } from '../log.ts';
import { createMetrics } from '../metrics.ts';
import { openChannel } from './client.ts';
import { type GrpcServer, serveGrpc, service } from './server.ts';
import type { ReceivingCall, SendingCall } from './stream-client.ts';

const chunk = (bytes: Buffer): UploadFileRequest => ({ part: { $case: 'chunk', value: bytes } });
const part = (bytes: Buffer): ReadFileResponse => ({ part: { $case: 'chunk', value: bytes } });
const block = Buffer.alloc(64 * 1024, 1);

let server: GrpcServer;
let upload: SendingCall<typeof FileServiceService.uploadFile>;
let read: ReceivingCall<typeof FileServiceService.readFile>;
const seen = { received: 0, ended: '', sent: 0, stopped: false };

before(async () => {
  server = await serveGrpc({
    host: '127.0.0.1',
    port: 0,
    services: [
      service('im_repo.v1.FileService', FileServiceService, {
        async uploadFile(requests) {
          seen.received = 0;
          seen.ended = '';
          try {
            for await (const { part } of requests) {
              if (part?.$case === 'end') seen.ended = 'complete';
              seen.received += 1;
              if (seen.received === 5) throw new GoChatError('QUOTA_EXCEEDED', 'Enough.');
            }
            seen.ended ||= 'cut off';
          } catch (error) {
            seen.ended = error instanceof GoChatError ? error.code : 'broken';
            throw error;
          }
          return { file: undefined };
        },
        async *readFile({ id }) {
          seen.sent = 0;
          seen.stopped = false;
          try {
            for (let n = 0; n < (id === 'endless' ? 1e9 : 3); n++) {
              seen.sent += 1;
              yield part(block);
            }
            if (id === 'broken') throw new GoChatError('UNAVAILABLE', 'It broke.');
          } finally {
            seen.stopped = true;
          }
        },
        async getUploadedFile() {
          return { file: undefined };
        },
      }),
    ],
    protoFiles: ['im_repo/v1/file.proto'],
    log: createLogger('test', 'silent'),
    metrics: createMetrics('test'),
  });
  const channel = openChannel(`127.0.0.1:${server.port}`, undefined);
  atEnd(channel.close);
  upload = channel.sending(FileServiceService.uploadFile);
  read = channel.receiving(FileServiceService.readFile);
});
after(() => server.close());

const wanted = (id: string) => ({
  id,
  userId: '',
  expiresAtS: 0,
  signature: '',
  part: undefined,
  knownTags: [],
  factsOnly: false,
});
const options = { deadlineMs: 5000 };

test('a stream of requests is answered when it has ended', async () => {
  await upload(requests(3), options);
  assert.deepEqual([seen.received, seen.ended], [3, 'complete']);
});

test('a refusal comes before the end of the requests, and no more are taken', async () => {
  let taken = 0;
  async function* endless() {
    try {
      for (;;) {
        taken += 1;
        yield chunk(block);
      }
    } finally {
      taken = -taken;
    }
  }
  await assert.rejects(upload(endless(), options), { code: 'QUOTA_EXCEEDED' });
  await eventually(() => taken < 0);
});

test('requests that break off lack the last one, and the caller gets its own error', async () => {
  async function* breaking() {
    seen.received = 0;
    yield chunk(block);
    await eventually(() => seen.received === 1);
    throw new Error('the client is gone');
  }
  await assert.rejects(upload(breaking(), options), /gone/);
  await eventually(() => seen.ended !== '');
  assert.notEqual(seen.ended, 'complete');
});

test('responses come in order, and an error in between with its code', async () => {
  const got: number[] = [];
  for await (const response of read(wanted('file'), options)) {
    if (response.part?.$case === 'chunk') got.push(response.part.value.length);
  }
  assert.deepEqual(got, [block.length, block.length, block.length]);
  const broken = async () => {
    for await (const _ of read(wanted('broken'), options));
  };
  await assert.rejects(broken, { code: 'UNAVAILABLE' });
});

test('a reader that is slow holds the sender back, and one that goes ends it', async () => {
  const responses = read(wanted('endless'), options);
  const iterator = responses[Symbol.asyncIterator]();
  await iterator.next();
  let before = -1;
  await eventually(
    () => {
      const isStill = seen.sent === before;
      before = seen.sent;
      return isStill;
    },
    4000,
    200,
  );
  assert.ok(seen.sent < 500, `${seen.sent} blocks were sent to a reader that takes none`);
  responses.cancel();
  await eventually(() => seen.stopped);
});

async function* requests(count: number): AsyncGenerator<UploadFileRequest> {
  for (let n = 1; n < count; n++) yield chunk(block);
  yield { part: { $case: 'end', value: { size: 0 } } };
}
