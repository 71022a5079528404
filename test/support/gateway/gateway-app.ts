import assert from 'node:assert/strict';
import type { FastifyInstance } from 'fastify';
import { type Code, GoChatError, httpStatus } from '../../../lib/errors.ts';
import { createLogger } from '../../../lib/log.ts';
import { createMetrics } from '../../../lib/metrics.ts';
import type { AccessToken } from '../../../lib/tokens.ts';
import { createClientAddress } from '../../../services/gateway/door/client-address.ts';
import { parseHosts } from '../../../services/gateway/door/hosts.ts';
import { parseOrigins } from '../../../services/gateway/door/origins.ts';
import { parseTrustedProxies } from '../../../services/gateway/door/trusted-proxies.ts';
import { createRateLimit } from '../../../services/gateway/limits/rate-limit.ts';
import { type AppDeps, buildApp } from '../../../services/gateway/rest/app.ts';
import { createMemoryIdempotency } from './memory-idempotency.ts';

type Calls = { name: string; request: unknown }[];

export const caller: AccessToken = { userId: '1001', sessionId: 's-1', isGuest: false, expiresAt: 0 };
export const bearer = { authorization: 'Bearer good' };

export const user = {
  id: '1001',
  username: 'ann',
  displayName: 'Ann',
  avatarUrl: '',
  isGuest: false,
  createdAt: 1,
};
export const session = { user, accessToken: 'a', refreshToken: 'r', expiresIn: 900, sessionId: 's-1' };

type Answer = (request: never, options: { deadlineMs?: number } | undefined) => unknown;

type Limits = Partial<AppDeps['limits']>;
type Door = { anonymousPerMinute?: number; trustProxy?: string; hosts?: string; origins?: string };

/** The state of one test. */
type TestState = {
  answers: Record<string, Answer>;
  calls: Calls;
  revoked: Set<string>;
  idempotency: ReturnType<typeof createMemoryIdempotency>;
  door: Pick<AppDeps, 'anonymous' | 'clientAddress' | 'hosts' | 'origins'>;
};

/** The shared app, without limits. */
let sharedApp: Promise<BuiltApp> | undefined;

/**
 * The REST app with a stub of logic: `answers` by "service.method". It records all calls. Building an app takes a
 * fifth of a second, so tests without their own limits share one app, one after the other; only its page cache stays
 * between tests.
 */
export async function testApp(answers: Record<string, Answer> = {}, limits: Limits = {}, door: Door = {}) {
  const built = await (Object.keys(limits).length === 0 ? buildSharedApp() : buildTestApp(limits));
  const state = newState(answers, door);
  built.setState(state);
  return { app: built.app, ...state };
}

/** The same with a new app. */
export async function freshTestApp(answers: Record<string, Answer>) {
  const built = await buildTestApp({});
  const state = newState(answers);
  built.setState(state);
  return { app: built.app, ...state };
}

function buildSharedApp(): Promise<BuiltApp> {
  sharedApp ??= buildTestApp({});
  return sharedApp;
}

const newState = (answers: Record<string, Answer>, door: Door = {}): TestState => ({
  answers,
  calls: [],
  revoked: new Set(),
  idempotency: createMemoryIdempotency(),
  door: {
    anonymous: createRateLimit({
      limit: door.anonymousPerMinute ?? 0,
      windowMs: 60_000,
      sentence: 'Too many.',
    }),
    clientAddress: createClientAddress(
      parseTrustedProxies(door.trustProxy ?? '0'),
      createLogger('gateway', 'silent'),
    ),
    hosts: parseHosts(door.hosts ?? ''),
    origins: parseOrigins(door.origins ?? ''),
  },
});

type BuiltApp = { app: Awaited<ReturnType<typeof buildApp>>; setState(state: TestState): void };

async function buildTestApp(limits: Limits): Promise<BuiltApp> {
  let current = newState({});
  const service = (name: string) =>
    new Proxy(
      {},
      {
        get: (_, method) => async (request: never, options?: { deadlineMs?: number }) => {
          const call = `${name}.${String(method)}`;
          current.calls.push({ name: call, request });
          const answer = current.answers[call];
          if (!answer) throw new Error(`the test has no answer for ${call}`);
          return answer(request, options);
        },
      },
    );
  const app = await buildApp({
    logic: {
      auth: service('auth'),
      users: service('users'),
      friends: service('friends'),
      conversations: service('conversations'),
      messages: service('messages'),
    } as AppDeps['logic'],
    idempotency: {
      beginRequest: (request) => current.idempotency.beginRequest(request),
      completeRequest: (request) => current.idempotency.completeRequest(request),
      abandonRequest: (request) => current.idempotency.abandonRequest(request),
      checkMessageIdempotency: (request) => current.idempotency.checkMessageIdempotency(request),
    },
    access: {
      async check(token) {
        if (token !== 'good') throw new GoChatError('UNAUTHENTICATED', 'An access token is needed.');
        return caller;
      },
    },
    revoked: {
      isComplete: () => true,
      has: (id) => current.revoked.has(id),
      add: (ids) => {
        for (const id of ids) current.revoked.add(id);
      },
      refresh: async () => undefined,
      stop: () => undefined,
    },
    tokenKeys: [{ kty: 'OKP', crv: 'Ed25519', x: 'AAAA', kid: 'k', alg: 'EdDSA', use: 'sig' }],
    readiness: async () => ({ ready: false, dependencies: { kafka: 'down', logic: 'up', repo: 'up' } }),
    limits: { registersPerHour: 0, loginFailuresPer15Min: 0, requestsPerMinute: 0, ...limits },
    anonymous: {
      take: (key) => current.door.anonymous.take(key),
      giveBack: (key) => current.door.anonymous.giveBack(key),
      forget: (key) => current.door.anonymous.forget(key),
    },
    clientAddress: (request) => current.door.clientAddress(request),
    hosts: { check: (host) => current.door.hosts.check(host) },
    origins: {
      get kind() {
        return current.door.origins.kind;
      },
      allows: (origin) => current.door.origins.allows(origin),
    },
    metrics: createMetrics('gateway'),
    log: createLogger('gateway', 'silent'),
  });
  return {
    app,
    setState(state) {
      current = state;
    },
  };
}

export const json = { 'content-type': 'application/json' };
type Body = Record<string, unknown> & { errors?: { path: string }[] };

/** Calls a route, by default as a signed-in user. */
export async function send(
  app: FastifyInstance,
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  url: string,
  body?: unknown,
  headers: Record<string, string> = bearer,
) {
  const payload =
    body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  const response = await app.inject({
    method,
    url,
    headers: {
      ...headers,
      ...(payload === undefined ? {} : json),
      ...headers,
    },
    ...(payload === undefined ? {} : { payload }),
  });
  const answer: Body = response.body === '' ? {} : JSON.parse(response.body);
  return { status: response.statusCode, headers: response.headers, body: answer };
}

/** Asserts that an answer is a problem with this code and, if `path` is given, about this field. */
export function isProblem(answer: Awaited<ReturnType<typeof send>>, code: Code, path?: string): void {
  assert.deepEqual([answer.status, answer.body.code], [httpStatus(code), code], JSON.stringify(answer.body));
  assert.match(String(answer.headers['content-type']), /^application\/problem\+json/);
  assert.equal(answer.body.status, httpStatus(code));
  for (const field of ['type', 'title', 'detail']) assert.equal(typeof answer.body[field], 'string');
  if (path !== undefined)
    assert.deepEqual(
      answer.body.errors?.map((error) => error.path),
      [path],
    );
}
