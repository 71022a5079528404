import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { createRest, type Session } from '../../../../clients/sdk/rest.ts';
import { atEnd } from '../../../support/at-end.ts';
import { eventually } from '../../../support/eventually.ts';
import { startRealGateway } from '../../../support/gateway/real-gateway.ts';
import { openIdentityProvider } from '../../../support/logic/identity-provider.ts';
import { openLogicSystem } from '../../../support/logic/logic-system.ts';
import { uniqueName } from '../../../support/logic/logic-users.ts';

// The address of the provider's keys. At first, they cannot be reached.
let isAway = true;
const keys = createServer((_request, response) => {
  response.statusCode = isAway ? 500 : 200;
  response.end(isAway ? '' : provider.jwks);
});
await new Promise<void>((resolve) => keys.listen(0, '127.0.0.1', resolve));
atEnd(() => void keys.close());
const jwksUrl = `http://127.0.0.1:${(keys.address() as AddressInfo).port}/keys`;
const provider = await openIdentityProvider({ jwksUrl });

const system = await openLogicSystem({
  TEMPORAL_ADDRESS: '127.0.0.1:1',
  AUTH_ISSUERS_FILE: provider.issuersFile,
});
const here = await startRealGateway(system.behindGateway, { RATE_LIMIT_LOGIN_FAILURES_PER_15MIN: '0' });

const ask = (path: string, body: object, headers: Record<string, string> = {}, url = here.url) =>
  fetch(new URL(path, url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
const exchange = (token: unknown, headers?: Record<string, string>, url?: string) =>
  ask('/auth/exchange', { token }, headers, url);
const codeIn = async (answer: Response) => ((await answer.json()) as { code: string }).code;

test('while the keys of the provider cannot be reached, an exchange is 503 and says when to try again', async () => {
  const token = await provider.token(randomUUID());
  const refused = await exchange(token);
  assert.deepEqual([refused.status, await codeIn(refused)], [503, 'UNAVAILABLE']);
  assert.match(refused.headers.get('retry-after') ?? '', /^[1-9]\d*$/);
  isAway = false;
  await eventually(async () => (await exchange(token)).status === 200, 15_000, 200);
});

test('an exchange answers a session of the user with that identity, whose tokens work', async () => {
  const [sub, nick] = [randomUUID(), uniqueName()];
  const profile = { nick, name: 'Ann Lee', picture: 'https://pictures.example/1' };
  const answer = await exchange(await provider.token(sub, profile));
  assert.equal(answer.status, 200);
  const session = (await answer.json()) as Session;
  const { user, accessToken, refreshToken, sessionId, ...others } = session;
  assert.deepEqual(others, { expiresIn: 900 });
  const { id, createdAt, ...shown } = user;
  assert.deepEqual(shown, {
    username: nick,
    displayName: 'Ann Lee',
    avatarUrl: 'https://pictures.example/1',
    isGuest: false,
  });
  assert.match(id, /^\d+$/);
  assert.ok(Math.abs(createdAt - Date.now()) < 60_000);
  const rest = createRest(here.url, accessToken);
  assert.deepEqual(await rest.get('/users/profile'), user);
  const { sessions } = await rest.get<{ sessions: { id: string; current: boolean }[] }>('/auth/sessions');
  assert.deepEqual(
    sessions.map((one) => [one.id, one.current]),
    [[sessionId, true]],
  );
  const refreshed = await ask('/auth/refresh', { refreshToken });
  assert.deepEqual([refreshed.status, ((await refreshed.json()) as Session).user.id], [200, id]);
  const again = (await (await exchange(await provider.token(sub))).json()) as Session;
  assert.deepEqual([again.user, again.sessionId === sessionId], [user, false]);
});

test('a token that is no valid one is 401, and a value that is no text 400', async () => {
  const { token } = provider;
  const good = await token(randomUUID());
  const bad = [
    '',
    'nonsense',
    'x'.repeat(50_000),
    good.slice(0, -4),
    await token(randomUUID(), {}, { audience: 'elsewhere' }),
    await token(randomUUID(), {}, { expires: '-2m' }),
  ];
  for (const one of bad) {
    const answer = await exchange(one);
    assert.deepEqual([answer.status, await codeIn(answer)], [401, 'UNAUTHENTICATED'], one.slice(0, 20));
  }
  for (const one of [undefined, null, 7, {}]) {
    const answer = await exchange(one);
    assert.deepEqual([answer.status, await codeIn(answer)], [400, 'INVALID_ARGUMENT']);
  }
});

test('bad tokens count for their address: over the limit a good one is refused, too', async () => {
  const there = await startRealGateway(system.behindGateway, {
    RATE_LIMIT_LOGIN_FAILURES_PER_15MIN: '1',
    TRUST_PROXY: '1',
  });
  const from = (address: string) => ({ 'x-forwarded-for': address });
  const good = await provider.token(randomUUID());
  const statusOf = async (token: string, address: string) =>
    (await exchange(token, from(address), there.url)).status;
  assert.equal(await statusOf(good, '192.0.2.1'), 200);
  for (const bad of ['', 'nonsense', 'x'.repeat(50_000), '', 'a.b.c']) {
    assert.equal(await statusOf(bad, '192.0.2.1'), 401);
  }
  assert.equal(await statusOf(good, '192.0.2.1'), 429);
  assert.equal(await statusOf(good, '192.0.2.2'), 200);
});

test('an Idempotency-Key is ignored: nobody gets the tokens of somebody else’s exchange', async () => {
  const token = await provider.token(randomUUID());
  const key = { 'idempotency-key': randomUUID() };
  const answers = [await exchange(token, key), await exchange(token, key)];
  const [first, second] = (await Promise.all(answers.map((one) => one.json()))) as [Session, Session];
  assert.equal(first.user.id, second.user.id);
  for (const field of ['sessionId', 'accessToken', 'refreshToken'] as const) {
    assert.notEqual(first[field], second[field], field);
  }
  for (const answer of answers) assert.equal(answer.headers.get('idempotency-replayed'), null);
  const bad = await exchange('nonsense', key);
  assert.equal(bad.status, 401);
});
