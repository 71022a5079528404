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
import { createRequestLimits } from '../../../services/gateway/limits/request-limits.ts';
import { createPages } from '../../../services/gateway/rest/answers/pages.ts';
import { type AppDeps, buildApp } from '../../../services/gateway/rest/app.ts';
import { createWebClient } from '../../../services/gateway/web/web-client.ts';
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

type Limits = { registersPerHour?: number; loginFailuresPer15Min?: number; requestsPerMinute?: number };
type Door = {
  anonymousPerMinute?: number;
  trustProxy?: string;
  hosts?: string;
  origins?: string;
  webFolder?: string;
};

/** The state of one test. */
type TestState = Pick<
  AppDeps,
  'anonymous' | 'clientAddress' | 'hosts' | 'limits' | 'origins' | 'pages' | 'webClient'
> & {
  answers: Record<string, Answer>;
  calls: Calls;
  revoked: Set<string>;
  idempotency: ReturnType<typeof createMemoryIdempotency>;
};

const metrics = createMetrics('gateway');
let current = newState({}, {}, {});
let shared: ReturnType<typeof buildTestApp> | undefined;

/**
 * The REST app with a stub of logic: `answers` by "service.method". It records all calls. Building an app takes a
 * fifth of a second, so all tests share one app, one after the other; nothing that it remembers stays between tests.
 */
export async function testApp(answers: Record<string, Answer> = {}, limits: Limits = {}, door: Door = {}) {
  shared ??= buildTestApp();
  const app = await shared;
  current = newState(answers, limits, door);
  const { calls, revoked, idempotency } = current;
  return { app, answers, calls, revoked, idempotency };
}

function newState(answers: Record<string, Answer>, limits: Limits, door: Door): TestState {
  return {
    answers,
    calls: [],
    revoked: new Set(),
    idempotency: createMemoryIdempotency(),
    limits: createRequestLimits({
      auth: logicService('auth') as AppDeps['logic']['auth'],
      requestsPerMinute: limits.requestsPerMinute ?? 0,
      registersPerHour: limits.registersPerHour ?? 0,
      loginFailuresPer15Min: limits.loginFailuresPer15Min ?? 0,
    }),
    pages: createPages(metrics),
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
    webClient: createWebClient({
      origins: parseOrigins(door.origins ?? ''),
      folder: door.webFolder ?? '/none',
    }),
  };
}

/** A stub of one of logic's services, which answers with the current test's `answers`. */
function logicService(name: string): object {
  return new Proxy(
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
}

function buildTestApp() {
  return buildApp({
    logic: {
      auth: logicService('auth'),
      users: logicService('users'),
      friends: logicService('friends'),
      conversations: logicService('conversations'),
      messages: logicService('messages'),
    } as AppDeps['logic'],
    files: {
      ...logicService('files'),
      /** There are no files unless the test answers some: the parts of a response. */
      readFile: (request: never) => ({
        cancel: () => undefined,
        async *[Symbol.asyncIterator]() {
          const answer = current.answers['files.readFile'];
          if (!answer) throw new GoChatError('NOT_FOUND', 'There is no such file.');
          yield* answer(request, undefined) as Iterable<unknown>;
        },
      }),
    } as unknown as AppDeps['files'],
    fileLimits: { fileBytes: 1024, quotaBytes: 0 },
    idempotency: ofTest(() => current.idempotency),
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
    limits: {
      requests: ofTest(() => current.limits.requests),
      registrations: ofTest(() => current.limits.registrations),
      signIns: ofTest(() => current.limits.signIns),
    },
    pages: ofTest(() => current.pages),
    anonymous: ofTest(() => current.anonymous),
    clientAddress: (request) => current.clientAddress(request),
    hosts: ofTest(() => current.hosts),
    origins: ofTest(() => current.origins),
    webClient: ofTest(() => current.webClient),
    metrics,
    log: createLogger('gateway', 'silent'),
  });
}

/** Passes every access on to the object of the current test. */
function ofTest<T extends object>(object: () => T): T {
  return new Proxy({} as T, { get: (_, property) => Reflect.get(object(), property) });
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
