import { createLists } from './lists.ts';
import type { Calls, Problem, Session } from './src/wire/wire.ts';

export type { Conversation, FriendRequest, Message, Session, User } from './src/wire/wire.ts';

/** A refused request, with the fields of the problem document in its response (RFC 9457). */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly status: number;
  readonly code: string;
  readonly errors: NonNullable<Problem['errors']>;

  constructor(status: number, body: Partial<Problem>) {
    super(`${status} ${body.code ?? ''}: ${body.detail ?? ''}`);
    this.status = status;
    this.code = body.code ?? '';
    this.errors = body.errors ?? [];
  }
}

export type RequestOptions = { body?: unknown; idempotencyKey?: string; headers?: Record<string, string> };

export type Rest = ReturnType<typeof createRest>;

const deadlineMs = 30_000;

/**
 * REST calls to a gateway, as the token's user or, without a token, as nobody. A call rejects with a ProblemError
 * if the gateway refuses it, or with the error of `fetch` if the gateway does not answer within 30 s.
 */
export function createRest(baseUrl: string, accessToken?: string) {
  async function call<T>(method: string, path: string, options: RequestOptions = {}): Promise<T> {
    const response = await fetch(new URL(path, baseUrl), {
      method,
      headers: {
        ...(accessToken ? { authorization: `Bearer ${accessToken}` } : {}),
        ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(options.idempotencyKey ? { 'idempotency-key': options.idempotencyKey } : {}),
        ...options.headers,
      },
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      signal: AbortSignal.timeout(deadlineMs),
    });
    const text = await response.text();
    const answer = text === '' ? undefined : JSON.parse(text);
    if (!response.ok) throw new ProblemError(response.status, answer ?? {});
    return answer;
  }

  const get = <T>(path: string) => call<T>('GET', path);
  return {
    call,
    get,
    post: <T>(path: string, body: unknown = {}, options: RequestOptions = {}) =>
      call<T>('POST', path, { ...options, body }),
    put: <T>(path: string, body: unknown = {}) => call<T>('PUT', path, { body }),
    patch: <T>(path: string, body: unknown) => call<T>('PATCH', path, { body }),
    delete: (path: string) => call<undefined>('DELETE', path),
    list: createLists(get),
    /** A client of the same gateway with another user's token. */
    as: (token: string) => createRest(baseUrl, token),

    register: (username: string, password: string) =>
      call<Session>('POST', '/auth/register', { body: { username, password } }),
    messagesAfter: (conversationId: string, afterSeq: number, limit = 200) =>
      call<Calls['GET /conversations/{id}/messages']['answer']>(
        'GET',
        `/conversations/${conversationId}/messages?afterSeq=${afterSeq}&limit=${limit}`,
      ),
  };
}
