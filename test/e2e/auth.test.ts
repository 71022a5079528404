import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRest, type Session } from '../../clients/sdk/rest.ts';
import { eventually } from '../support/eventually.ts';
import {
  chat,
  gateway2Url,
  gatewayUrl,
  newPerson,
  password,
  refused,
  uniqueName,
} from '../support/people/people.ts';

const nobody = createRest(gatewayUrl);

test('registering answers a session with the user, and the token works at once', async () => {
  const username = uniqueName('Reg');
  const response = await fetch(new URL('/auth/register', gatewayUrl), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username, password, avatarUrl: 'https://example.com/a.png' }),
  });
  assert.equal(response.status, 201);
  const session = (await response.json()) as Session;
  assert.match(session.user.id, /^\d+$/);
  assert.equal(session.user.username, username);
  assert.equal(session.user.avatarUrl, 'https://example.com/a.png');
  assert.equal(session.user.isGuest, false);
  assert.ok(Math.abs(session.user.createdAt - Date.now()) < 60_000);
  assert.equal(session.expiresIn, 900);
  const profile = await nobody.as(session.accessToken).get<{ id: string }>('/users/profile');
  assert.equal(profile.id, session.user.id);
});

test('a name is taken whatever its case', async () => {
  const username = uniqueName('Case');
  await nobody.register(username, password);
  await refused(nobody.register(username.toUpperCase(), password), 409, 'USERNAME_TAKEN');
});

test('names and passwords outside the limits are refused with the field named', async () => {
  const bad: [unknown, string][] = [
    [{ username: 'ab', password }, 'username'],
    [{ username: 'a'.repeat(51), password }, 'username'],
    [{ username: 'with space', password }, 'username'],
    [{ username: "x' OR 1=1 --", password }, 'username'],
    [{ username: 'nul\u0000byte', password }, 'username'],
    [{ username: '😀😀😀', password }, 'username'],
    [{ username: 42, password }, 'username'],
    [{ username: uniqueName(), password: 'short' }, 'password'],
    [{ username: uniqueName(), password: 'x'.repeat(129) }, 'password'],
    [{ username: uniqueName() }, 'password'],
    [{ username: uniqueName(), password: null }, 'password'],
  ];
  for (const [body, field] of bad) {
    const error = await refused(nobody.post('/auth/register', body), 400, 'INVALID_ARGUMENT');
    assert.ok(
      error.errors.some(({ path }) => path.includes(field)),
      `${JSON.stringify(body)}: ${JSON.stringify(error.errors)}`,
    );
  }
});

test('reserved names are taken, and passwords that many use or that are the name are refused', async () => {
  for (const username of ['Admin', 'system', 'deleted-user', 'guest-12345678']) {
    await refused(nobody.register(username, password), 409, 'USERNAME_TAKEN');
  }
  const username = uniqueName('Somebody');
  const bad = ['Password1', '1234567890', username.toLowerCase()];
  for (const word of bad) await refused(nobody.register(username, word), 400, 'INVALID_ARGUMENT');
  const person = await newPerson();
  for (const newPassword of ['iloveyou', person.user.username.toUpperCase()]) {
    const change = person.rest.put('/auth/password', { oldPassword: password, newPassword });
    const error = await refused(change, 400, 'INVALID_ARGUMENT');
    assert.deepEqual(
      error.errors.map(({ path }) => path),
      ['newPassword'],
    );
  }
  const guest = await nobody.post<Session>('/auth/guest');
  const upgrade = (body: object) => nobody.as(guest.accessToken).post('/auth/upgrade', body);
  await refused(upgrade({ username: 'root', password }), 409, 'USERNAME_TAKEN');
  await refused(upgrade({ username, password: 'Sunshine' }), 400, 'INVALID_ARGUMENT');
});

test('a name is stored without the blanks around it, a picture’s address as the URL standard spells it', async () => {
  const person = await newPerson();
  const profile = await person.rest.put<Session['user']>('/users/profile', {
    displayName: '  Ann Lee ',
    avatarUrl: 'HTTPS://Example.com',
  });
  assert.deepEqual([profile.displayName, profile.avatarUrl], ['Ann Lee', 'https://example.com/']);
  const { conversation } = await person.rest.post<{ conversation: { id: string; name: string } }>(
    '/conversations',
    { type: 2, name: ' a group ', memberIds: [] },
  );
  assert.equal(conversation.name, 'a group');
  const removed = await person.rest.put<Session['user']>('/users/profile', { avatarUrl: '' });
  assert.equal(removed.avatarUrl, '');
});

test('logging in needs the right password, and does not reveal whether the name exists', async () => {
  const person = await newPerson();
  const session = await nobody.post<Session>('/auth/login', { username: person.user.username, password });
  assert.equal(session.user.id, person.id);
  const wrong = await refused(
    nobody.post('/auth/login', { username: person.user.username, password: 'wrong password' }),
    401,
    'UNAUTHENTICATED',
  );
  const unknown = await refused(
    nobody.post('/auth/login', { username: uniqueName(), password }),
    401,
    'UNAUTHENTICATED',
  );
  assert.equal(wrong.message, unknown.message);
});

test('a forged, truncated or absent token is refused', async () => {
  const person = await newPerson();
  const [header, payload, signature] = person.accessToken.split('.');
  const forged = [
    'nonsense',
    `${header}.${payload}.`,
    `${header}.${payload}.${'A'.repeat(signature?.length ?? 0)}`,
    `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`,
    person.refreshToken,
  ];
  for (const token of forged) await refused(nobody.as(token).get('/users/profile'), 401, 'UNAUTHENTICATED');
  await refused(nobody.get('/users/profile'), 401, 'UNAUTHENTICATED');
});

test('refreshing rotates the token; two tabs that refresh at once both get the same new one', async () => {
  const person = await newPerson();
  const socket = await chat(person, gateway2Url);
  const refresh = (url: string) =>
    createRest(url).post<Session>('/auth/refresh', { refreshToken: person.refreshToken });
  const [second, other] = await Promise.all([refresh(gatewayUrl), refresh(gateway2Url)]);
  assert.notEqual(second.refreshToken, person.refreshToken);
  assert.equal(second.refreshToken, other.refreshToken);
  assert.equal(second.sessionId, person.sessionId);
  for (const { accessToken } of [second, other]) await nobody.as(accessToken).get('/users/profile');
  await socket.settled();
  await socket.close();
});

test('a refresh token reused later ends the family, its access tokens and sockets', async () => {
  const person = await newPerson();
  const socket = await chat(person, gateway2Url);
  const second = await nobody.post<Session>('/auth/refresh', { refreshToken: person.refreshToken });
  const again = () => nobody.post('/auth/refresh', { refreshToken: person.refreshToken });
  // For 20 s it may be a second tab.
  await eventually(
    () =>
      again().then(
        () => false,
        (error) => error.code === 'UNAUTHENTICATED',
      ),
    30_000,
  );
  await refused(nobody.post('/auth/refresh', { refreshToken: second.refreshToken }), 401, 'UNAUTHENTICATED');
  const { code } = await socket.closed;
  assert.equal(code, 4001);
  await refused(nobody.as(second.accessToken).get('/users/profile'), 401, 'UNAUTHENTICATED');
});

test('after logout the session’s tokens stop working and its sockets close, the others stay', async () => {
  const person = await newPerson();
  const other = await nobody.post<Session>('/auth/login', { username: person.user.username, password });
  const socket = await chat(person);
  const otherSocket = await chat(other);
  await person.rest.post('/auth/logout');
  assert.equal((await socket.closed).code, 4001);
  await refused(person.rest.get('/users/profile'), 401, 'UNAUTHENTICATED');
  await refused(nobody.post('/auth/refresh', { refreshToken: person.refreshToken }), 401, 'UNAUTHENTICATED');
  await nobody.as(other.accessToken).get('/users/profile');
  await otherSocket.settled();
  await otherSocket.close();
});

test('changing the password revokes the other sessions', async () => {
  const person = await newPerson();
  const other = await nobody.post<Session>('/auth/login', { username: person.user.username, password });
  await person.rest.put('/auth/password', { oldPassword: password, newPassword: 'another good one' });
  await refused(nobody.as(other.accessToken).get('/users/profile'), 401, 'UNAUTHENTICATED');
  await person.rest.get('/users/profile');
  await refused(
    nobody.post('/auth/login', { username: person.user.username, password }),
    401,
    'UNAUTHENTICATED',
  );
  await nobody.post('/auth/login', { username: person.user.username, password: 'another good one' });
});

test('sessions are listed and can be ended one by one', async () => {
  const person = await newPerson();
  const other = await nobody.post<Session>('/auth/login', { username: person.user.username, password });
  const { sessions } = await person.rest.get<{ sessions: { id: string }[] }>('/auth/sessions');
  assert.deepEqual(sessions.map(({ id }) => id).sort(), [person.sessionId, other.sessionId].sort());
  await person.rest.delete(`/auth/sessions/${other.sessionId}`);
  await refused(nobody.as(other.accessToken).get('/users/profile'), 401, 'UNAUTHENTICATED');
});

test('a guest can talk in the world room, cannot create a group, and keeps its id when it registers', async () => {
  const guest = await nobody.post<Session>('/auth/guest');
  assert.equal(guest.user.isGuest, true);
  const asGuest = nobody.as(guest.accessToken);
  const { conversations } = await asGuest.get<{ conversations: { id: string; type: number }[] }>(
    '/conversations',
  );
  assert.deepEqual(
    conversations.map(({ type }) => type),
    [3],
  );
  await refused(
    asGuest.post('/conversations', { type: 2, name: 'g', memberIds: [] }),
    403,
    'GUEST_NOT_ALLOWED',
  );

  const username = uniqueName('up');
  const upgraded = await asGuest.post<Session>('/auth/upgrade', { username, password });
  assert.equal(upgraded.user.id, guest.user.id);
  assert.equal(upgraded.user.isGuest, false);
  await refused(asGuest.get('/users/profile'), 401, 'UNAUTHENTICATED');
  await refused(nobody.post('/auth/refresh', { refreshToken: guest.refreshToken }), 401, 'UNAUTHENTICATED');
  await nobody.as(upgraded.accessToken).get('/users/profile');
  const login = await nobody.post<Session>('/auth/login', { username, password });
  assert.equal(login.user.id, guest.user.id);
});
