import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import sharp from 'sharp';
import { eventually } from '../support/eventually.ts';
import { bytesOf, pathOf, postFile, readUrl, type Uploaded, upload } from '../support/files/files.ts';
import { picture, withPosition } from '../support/files/pictures.ts';
import {
  chat,
  type Data,
  gatewayUrl,
  newFriends,
  newGroup,
  newPerson,
  type Person,
  password,
} from '../support/people/people.ts';
import { isRunning, runningProcess } from '../support/servers/services.ts';

const contentOf = ({ url, name, size, mime }: Uploaded) => JSON.stringify({ url, name, size, mime });

async function sendFile(person: Person, conversationId: string, file: Uploaded, messageType = 3) {
  const body = { clientMsgId: `f-${randomBytes(6).toString('hex')}`, content: contentOf(file), messageType };
  const { message } = await person.rest.post<Data>(`/conversations/${conversationId}/messages`, body);
  return message;
}

const urlIn = (message: Data): string => JSON.parse(message.content).url;

async function problemOf(response: Response): Promise<[number, string]> {
  const { code } = (await response.json()) as { code: string };
  return [response.status, code];
}

test('a file comes back as it was uploaded, to its uploader and by its signed address', async () => {
  const [ann, eve] = [await newPerson(), await newPerson()];
  const bytes = randomBytes(300_000);
  const file = await upload(ann, bytes, { name: 'data.bin', type: 'text/html' });
  assert.deepEqual(
    [file.name, file.size, file.mime, file.width, file.thumbnailUrl],
    ['data.bin', bytes.length, 'application/octet-stream', undefined, undefined],
  );
  assert.match(file.url, /^\/files\/[^?]+\?e=\d+&s=[\w-]+$/);
  const expires = Number(new URL(file.url, gatewayUrl).searchParams.get('e')) * 1000;
  assert.ok(expires >= Date.now() + 24 * 3_600_000 - 60_000);

  for (const response of [await readUrl(file.url), await readUrl(pathOf(file.url), ann)]) {
    assert.equal(response.status, 200);
    assert.ok((await bytesOf(response)).equals(bytes));
    const { headers } = response;
    assert.equal(headers.get('content-length'), String(bytes.length));
    assert.match(headers.get('content-disposition') ?? '', /^attachment; filename="data\.bin"/);
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.match(headers.get('content-security-policy') ?? '', /^sandbox;/);
  }
  assert.deepEqual(await problemOf(await readUrl(pathOf(file.url))), [401, 'UNAUTHENTICATED']);
  assert.deepEqual(await problemOf(await readUrl(pathOf(file.url), eve)), [403, 'PERMISSION_DENIED']);
  assert.deepEqual(await problemOf(await readUrl(file.url.slice(0, -1))), [401, 'UNAUTHENTICATED']);
  assert.deepEqual(await problemOf(await readUrl(file.url.replace(/e=\d+/, 'e=9999999999'))), [
    401,
    'UNAUTHENTICATED',
  ]);
  assert.deepEqual(await problemOf(await readUrl('/files/1-2', ann)), [404, 'NOT_FOUND']);
  assert.deepEqual(await problemOf(await readUrl('/files/%2e%2e%2fsecrets', ann)), [404, 'NOT_FOUND']);
});

test('parts of a file, and an unchanged file, are answered as HTTP says', async () => {
  const ann = await newPerson();
  const bytes = randomBytes(100_000);
  const { url } = await upload(ann, bytes);
  const part = async (range: string) => {
    const response = await readUrl(url, undefined, { range });
    return [response.status, response.headers.get('content-range'), await bytesOf(response)] as const;
  };
  assert.deepEqual(await part('bytes=10-19'), [206, 'bytes 10-19/100000', bytes.subarray(10, 20)]);
  assert.deepEqual(await part('bytes=99990-'), [206, 'bytes 99990-99999/100000', bytes.subarray(-10)]);
  assert.deepEqual(await part('bytes=-10'), [206, 'bytes 99990-99999/100000', bytes.subarray(-10)]);
  assert.deepEqual((await part('bytes=99990-200000'))[1], 'bytes 99990-99999/100000');
  assert.deepEqual((await part('bytes=100000-')).slice(0, 2), [416, 'bytes */100000']);
  for (const all of ['bytes=5-1', 'bytes=0-1,5-6', 'lines=1-2']) {
    assert.deepEqual(await part(all), [200, null, bytes], all);
  }
  const etag = (await readUrl(url)).headers.get('etag') ?? '';
  for (const tags of [etag, `"other", W/${etag}`, '*']) {
    const response = await readUrl(url, undefined, { 'if-none-match': tags });
    assert.deepEqual([response.status, response.headers.get('etag')], [304, etag]);
  }
  assert.equal((await readUrl(url, undefined, { 'if-none-match': '"other"' })).status, 200);
  const head = await fetch(`${gatewayUrl}${url}`, { method: 'HEAD' });
  assert.deepEqual([head.status, head.headers.get('content-length')], [200, '100000']);
});

test('a picture has its size, no position, and a thumbnail', async () => {
  const ann = await newPerson();
  const bytes = await withPosition(picture(1200, 600)).jpeg().toBuffer();
  const file = await upload(ann, bytes, { name: 'summit.jpg', type: 'image/png' });
  assert.deepEqual([file.mime, file.width, file.height], ['image/jpeg', 1200, 600]);
  const response = await readUrl(file.url);
  assert.match(response.headers.get('content-disposition') ?? '', /^inline;/);
  assert.equal(response.headers.get('content-type'), 'image/jpeg');
  const stored = await bytesOf(response);
  assert.equal(stored.length, file.size);
  const { exif, xmp } = await sharp(stored).metadata();
  assert.deepEqual([exif, xmp], [undefined, undefined]);

  const thumbnail = await readUrl(file.thumbnailUrl ?? '');
  assert.equal(thumbnail.headers.get('content-type'), 'image/webp');
  const { width, height } = await sharp(await bytesOf(thumbnail)).metadata();
  assert.deepEqual([width, height], [512, 256]);
  assert.equal((await upload(ann, await picture(512, 512).png().toBuffer())).thumbnailUrl, undefined);
});

test('members of a conversation read the files in it, wherever its messages are shown', async () => {
  const { ann, bob, conversationId } = await newFriends();
  const eve = await newPerson();
  const bobChat = await chat(bob);
  const file = await upload(ann, randomBytes(5000), { name: 'plan.pdf' });
  const sent = await sendFile(ann, conversationId, file);
  const told = await bobChat.expect('new-message');
  const { messages } = await bob.rest.messagesAfter(conversationId, 0);
  const { conversations } = await bob.rest.get<Data>('/conversations');
  const { lastMessage } = conversations.find(({ id }: Data) => id === conversationId);
  const synced = await bob.rest.post<Data>('/sync', { cursors: { [conversationId]: 0 } });
  const [{ messages: missed }] = synced.conversations;
  const one = await bob.rest.get<Data>(`/conversations/${conversationId}/messages/${sent.id}`);
  const everywhere = [sent, told, messages[0], lastMessage, missed[0], one.message];
  for (const message of everywhere) {
    assert.deepEqual({ ...JSON.parse(message.content), url: file.url }, JSON.parse(contentOf(file)));
    assert.equal((await readUrl(urlIn(message))).status, 200, 'the address in a message is signed');
  }
  assert.equal((await readUrl(pathOf(file.url), bob)).status, 200);
  assert.equal((await readUrl(pathOf(file.url), eve)).status, 403);

  // Bob passes it on, by the address that he was given or without its signature.
  const groupId = await newGroup(bob, [eve]);
  await sendFile(bob, groupId, { ...file, url: urlIn(told) });
  assert.equal((await readUrl(pathOf(file.url), eve)).status, 200);
  await bobChat.close();
});

test('nobody can send a file that they may not read, nor learn of it by a text', async () => {
  const { ann, bob, conversationId } = await newFriends();
  const eve = await newPerson();
  const file = await upload(eve, randomBytes(100));
  const path = pathOf(file.url);
  for (const url of [path, file.url, '/files/1-2', '/files/../x', '/elsewhere', 'files/1-2']) {
    const body = { clientMsgId: 'x', content: JSON.stringify({ ...file, url }), messageType: 2 };
    const refused = ann.rest.post(`/conversations/${conversationId}/messages`, body);
    await assert.rejects(refused, { code: 'INVALID_ARGUMENT' }, url);
  }
  const annChat = await chat(ann);
  annChat.send('send-message', {
    conversationId,
    clientMsgId: 's',
    content: contentOf(file),
    messageType: 3,
  });
  assert.equal((await annChat.expect('error')).code, 'INVALID_ARGUMENT');
  const text = JSON.stringify({ url: path });
  const bobChat = await chat(bob);
  annChat.send('send-message', { conversationId, clientMsgId: 't', content: text });
  assert.equal((await bobChat.expect('new-message')).content, text, 'a text stays as it is');
  assert.equal((await readUrl(path, bob)).status, 403);
  await Promise.all([annChat.close(), bobChat.close()]);
});

test('pages with files keep their ETag, and clients that hold them get 304', async () => {
  const { ann, bob, conversationId } = await newFriends();
  await sendFile(ann, conversationId, await upload(ann, randomBytes(100)));
  const page = (headers: Record<string, string> = {}) =>
    readUrl(`/conversations/${conversationId}/messages`, bob, headers);
  const first = await page();
  const etag = first.headers.get('etag') ?? '';
  assert.equal((await page({ 'if-none-match': etag })).status, 304);
  assert.equal(await (await page()).text(), await first.text());
});

test('uploaded pictures of users and groups are for everybody who is signed in', async () => {
  const { ann, bob, conversationId } = await newFriends();
  const eve = await newPerson();
  const bobChat = await chat(bob);
  const face = await upload(ann, await picture(64, 64).png().toBuffer());
  const profile = await ann.rest.put<Data>('/users/profile', { avatarUrl: face.url });
  assert.equal(pathOf(profile.avatarUrl), pathOf(face.url));
  assert.equal((await readUrl(profile.avatarUrl)).status, 200);
  const seen = await eve.rest.get<Data>(`/users/${ann.id}`);
  assert.equal((await readUrl(seen.avatarUrl)).status, 200);
  assert.equal((await readUrl(pathOf(face.url), eve)).status, 200);
  assert.equal((await readUrl(pathOf(face.url))).status, 401);
  await ann.rest.post(`/conversations/${conversationId}/messages`, { clientMsgId: 'hello', content: 'x' });
  const { sender } = await bobChat.expect('new-message');
  assert.equal((await readUrl(sender.avatarUrl)).status, 200);

  const logo = await upload(ann, await picture(64, 64).png().toBuffer());
  const groupId = await newGroup(ann, [bob]);
  const { conversation } = await ann.rest.patch<Data>(`/conversations/${groupId}`, {
    avatarUrl: pathOf(logo.url),
  });
  const told = await bobChat.expect('conversation-updated');
  for (const { avatarUrl } of [conversation, told.conversation]) {
    assert.equal(pathOf(avatarUrl), pathOf(logo.url));
    assert.equal((await readUrl(avatarUrl)).status, 200);
  }
  assert.equal((await readUrl(pathOf(logo.url), eve)).status, 200);

  const hers = await upload(eve, await picture(64, 64).png().toBuffer());
  for (const avatarUrl of [hers.url, '/files/1-2', '/files/x']) {
    await assert.rejects(ann.rest.put('/users/profile', { avatarUrl }), { code: 'INVALID_ARGUMENT' });
    await assert.rejects(ann.rest.patch(`/conversations/${groupId}`, { avatarUrl }), {
      code: 'INVALID_ARGUMENT',
    });
  }
  assert.equal((await ann.rest.put<Data>('/users/profile', { avatarUrl: '' })).avatarUrl, '');
  await bobChat.close();
});

test('a recall takes the file along, unless another message shows it', async () => {
  const { ann, bob, conversationId } = await newFriends();
  const [once, twice] = [await upload(ann, randomBytes(100)), await upload(ann, randomBytes(100))];
  const first = await sendFile(ann, conversationId, once);
  const second = await sendFile(ann, conversationId, twice);
  await sendFile(bob, conversationId, twice);
  for (const { id } of [first, second])
    await ann.rest.delete(`/conversations/${conversationId}/messages/${id}`);
  for (const response of [
    await readUrl(once.url),
    await readUrl(pathOf(once.url), ann),
    await readUrl(pathOf(once.url), bob),
  ]) {
    assert.deepEqual(await problemOf(response), [404, 'NOT_FOUND']);
  }
  assert.equal((await readUrl(twice.url)).status, 200);
  assert.equal((await readUrl(pathOf(twice.url), bob)).status, 200);
});

test('an edit may show another file, whose predecessor goes', async () => {
  const { ann, bob, conversationId } = await newFriends();
  const [old, next] = [await upload(ann, randomBytes(100)), await upload(ann, randomBytes(100))];
  const hers = await upload(bob, randomBytes(100));
  const { id } = await sendFile(ann, conversationId, old);
  const path = `/conversations/${conversationId}/messages/${id}`;
  await assert.rejects(ann.rest.patch(path, { content: contentOf(hers) }), { code: 'INVALID_ARGUMENT' });
  const bobChat = await chat(bob);
  await ann.rest.patch(path, { content: contentOf(next) });
  const { message } = await bobChat.expect('message-changed');
  assert.equal((await readUrl(urlIn(message))).status, 200);
  assert.equal((await readUrl(old.url)).status, 404);
  await bobChat.close();
});

test('an erased account takes its files along', async () => {
  const { ann, bob, conversationId } = await newFriends();
  const sent = await upload(ann, randomBytes(100));
  await sendFile(ann, conversationId, sent);
  assert.equal((await readUrl(pathOf(sent.url), bob)).status, 200);
  await ann.rest.call('DELETE', '/users/profile', { body: { password } });
  await eventually(async () => (await readUrl(pathOf(sent.url), bob)).status === 404, 30_000, 200);
});

test('the bounds of an upload are those of the contract', async () => {
  const ann = await newPerson();
  const large = await postFile(ann, Buffer.alloc(20 * 1024 * 1024 + 1));
  assert.deepEqual(await problemOf(large), [413, 'PAYLOAD_TOO_LARGE']);
  assert.equal((await upload(ann, randomBytes(20 * 1024 * 1024))).size, 20 * 1024 * 1024);
  assert.equal((await upload(ann, '')).size, 0);
  assert.deepEqual(await problemOf(await postFile(ann, 'x', { field: 'other' })), [400, 'INVALID_ARGUMENT']);
  const post = (headers: Record<string, string>, body: string) =>
    fetch(`${gatewayUrl}/files`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ann.accessToken}`, ...headers },
      body,
    });
  assert.deepEqual(await problemOf(await post({ 'content-type': 'application/json' }, '{}')), [
    415,
    'UNSUPPORTED_MEDIA_TYPE',
  ]);
  assert.deepEqual(await problemOf(await post({ 'content-type': 'multipart/form-data' }, 'x')), [
    400,
    'INVALID_ARGUMENT',
  ]);
  assert.deepEqual(
    await problemOf(
      await post(
        { 'content-type': 'multipart/form-data; boundary=b' },
        '--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nxyz',
      ),
    ),
    [400, 'INVALID_ARGUMENT'],
  );
  assert.equal((await postFile({ accessToken: 'x' }, 'x')).status, 401);
  const named = await upload(ann, 'text', { name: '../../etc/passwd' });
  assert.deepEqual([named.name, named.mime], ['passwd', 'text/plain']);
  const page = await upload(ann, '<!doctype html><script>alert(1)</script>', {
    name: 'a.html',
    type: 'text/html',
  });
  assert.equal(page.mime, 'text/plain');
  const drawing = await upload(ann, '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', {
    type: 'image/svg+xml',
  });
  assert.match((await readUrl(drawing.url)).headers.get('content-disposition') ?? '', /^attachment/);
});

test('a repeated upload with the same Idempotency-Key answers the same file', async () => {
  const ann = await newPerson();
  const headers = { 'idempotency-key': randomBytes(8).toString('hex') };
  const first = await upload(ann, 'some text', { headers });
  assert.deepEqual(await upload(ann, 'some text', { headers }), first);
});

test('fifty uploads at once of 20 MiB take less than 300 MB of memory', { timeout: 180_000 }, async () => {
  const ann = await newPerson();
  const names = ['core', 'repo', 'gateway-1'].filter(isRunning);
  const resident = () => names.reduce((sum, name) => sum + residentBytes(runningProcess(name).pid), 0);
  const pictures = await Promise.all(
    [1, 2].map(() => picture(2600, 2600).png({ compressionLevel: 0 }).toBuffer()),
  );
  const bytes = [randomBytes(20 * 1024 * 1024), ...pictures];
  assert.ok(
    pictures.every(({ length }) => length > 19 * 1024 * 1024 && length <= 20 * 1024 * 1024 + 400_000),
  );
  const before = resident();
  let most = 0;
  const sampling = setInterval(() => {
    most = Math.max(most, resident() - before);
  }, 50);
  try {
    const uploads = Array.from({ length: 50 }, (_, index) => {
      const content = bytes[index % bytes.length] ?? Buffer.alloc(0);
      return upload(ann, content.subarray(0, 20 * 1024 * 1024));
    });
    for (const { size } of await Promise.all(uploads)) assert.ok(size > 19 * 1024 * 1024);
  } finally {
    clearInterval(sampling);
  }
  assert.ok(most < 300e6, `${Math.round(most / 1e6)} MB`);
});

/** What a process has in memory. */
function residentBytes(pid: number): number {
  const [, kilobytes = '0'] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}
