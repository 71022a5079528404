import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { before, test } from 'node:test';
import { codeOf } from '../../../lib/errors.ts';
import { atEnd } from '../../../test/support/at-end.ts';
import { eventually } from '../../../test/support/eventually.ts';
import { multipartFile } from './multipart-file.ts';

const maxBytes = 100_000;
const type = 'multipart/form-data; boundary=b';
const head = (field = 'file', name = 'a.txt') =>
  `--b\r\ncontent-disposition: form-data; name="${field}"; filename="${name}"\r\n\r\n`;
const tail = '\r\n--b--\r\n';

let port = 0;
let begun = 0;
const outcomes: string[] = [];

before(async () => {
  const server = createServer((raw, reply) => {
    multipartFile(raw, maxBytes)
      .then(async ({ name, chunks }) => {
        begun += 1;
        return `${name} ${(await buffer(chunks)).length}`;
      })
      .catch((error: unknown) => codeOf(error))
      .then((outcome) => {
        outcomes.push(outcome);
        reply.end(outcome);
      });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
  atEnd(() => {
    server.closeAllConnections();
    server.close();
  });
});

async function post(body: string | Buffer, headers: Record<string, string> = { 'content-type': type }) {
  const response = await fetch(`http://127.0.0.1:${port}`, { method: 'POST', body, headers });
  return response.text();
}

test('the file of a form is read, among other fields and up to the limit', async () => {
  const other = '--b\r\ncontent-disposition: form-data; name="note"\r\n\r\nhello\r\n';
  assert.equal(await post(`${other}${head('file', 'é.txt')}text${tail}`), 'é.txt 4');
  assert.equal(await post(`${head()}${tail}`), 'a.txt 0');
  assert.equal(await post(`${head()}${'x'.repeat(maxBytes)}${tail}`), `a.txt ${maxBytes}`);
  assert.equal(await post(`${head('picture')}x${`\r\n${head()}`}text${tail}`), 'a.txt 4');
});

test('a file beyond the limit is refused while it arrives, and the answer reaches the client', async () => {
  assert.equal(await post(`${head()}${'x'.repeat(maxBytes + 1)}${tail}`), 'PAYLOAD_TOO_LARGE');
  assert.equal(await post(`${head()}${'x'.repeat(50 * maxBytes)}${tail}`), 'PAYLOAD_TOO_LARGE');
});

test('a form without the file, or one that is no form, is refused', async () => {
  assert.equal(await post(`${head('other')}x${tail}`), 'INVALID_ARGUMENT');
  assert.equal(await post(`--b--\r\n`), 'INVALID_ARGUMENT');
  assert.equal(await post('x', { 'content-type': 'multipart/form-data' }), 'INVALID_ARGUMENT');
  assert.equal(await post(`${head()}without an end`), 'INVALID_ARGUMENT');
});

test('a request that breaks off ends the file with an error', async () => {
  outcomes.length = 0;
  const cut = request({ port, method: 'POST', headers: { 'content-type': type, 'content-length': '50000' } });
  cut.on('error', () => undefined);
  cut.write(`${head()}${'x'.repeat(1000)}`);
  const before = begun;
  await eventually(() => begun > before);
  cut.destroy();
  await eventually(() => outcomes.length > 0);
  assert.deepEqual(outcomes, ['INVALID_ARGUMENT']);
});
