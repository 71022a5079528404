import type { Calls, Problem } from '../wire/wire.ts';
import { asGoChatError, GoChatError, unreachable } from './errors.ts';

export type CallName = keyof Calls;
type Answer<K extends CallName> = Calls[K]['answer'];
/** The parameters and the body of a call, as far as it has any. */
export type Request<K extends CallName> = Omit<Calls[K], 'answer'> & {
  /** Makes a POST that creates something safe to repeat. */
  idempotencyKey?: string;
  /** Sends the request, with a body of its own; it may take as long as it likes. */
  send?: typeof globalThis.fetch;
};
type NeedsNothing<K extends CallName> = Record<never, never> extends Omit<Calls[K], 'answer'> ? true : false;
type Arguments<K extends CallName> = NeedsNothing<K> extends true ? [Request<K>?] : [Request<K>];

/** Calls the API by method and path, such as `GET /users/{userId}`. Rejects with a GoChatError. */
export type Api = <K extends CallName>(call: K, ...request: Arguments<K>) => Promise<Answer<K>>;

const deadlineMs = 30_000;

/** Makes calls to a gateway, such as `call('POST /auth/register', { body })`: as nobody, or as the user of a token. */
export function createCall({
  url,
  fetch = (...request) => globalThis.fetch(...request),
}: {
  url: string;
  fetch?: typeof globalThis.fetch;
}) {
  return async <K extends CallName>(call: K, request: Request<K>, token?: string): Promise<Answer<K>> => {
    const { method, address } = addressOf(url, call, request);
    const aborted = new AbortController();
    const { send } = request;
    const deadline = send ? undefined : setTimeout(() => aborted.abort(), deadlineMs);
    try {
      const response = await (send ?? fetch)(address, {
        method,
        headers: headersOf(request, token),
        signal: aborted.signal,
        ...('body' in request ? { body: JSON.stringify(request.body) } : {}),
      });
      const text = await response.text();
      if (!response.ok) throw refusal(response, text);
      return text === '' ? undefined : JSON.parse(text);
    } catch (error) {
      throw aborted.signal.aborted ? unreachable() : asGoChatError(error);
    } finally {
      clearTimeout(deadline);
    }
  };
}

export type Call = ReturnType<typeof createCall>;

/**
 * Makes calls with a token; one that is refused is given back once, for a better one. `onAccepted` is called when a token
 * was good.
 */
export function withToken(
  call: Call,
  token: (refused?: string) => Promise<string>,
  onAccepted?: () => void,
): Api {
  return async <K extends CallName>(name: K, asked?: Request<K>) => {
    const request = asked ?? ({} as Request<K>);
    const first = await token();
    let answer: Answer<K>;
    try {
      answer = await call(name, request, first);
    } catch (error) {
      if (asGoChatError(error).code !== 'UNAUTHENTICATED') throw error;
      answer = await call(name, request, await token(first));
    }
    onAccepted?.();
    return answer;
  };
}

function addressOf(url: string, call: string, request: object) {
  const { path = {}, query = {} } = request as Record<string, Record<string, string | number | undefined>>;
  const [method, template = ''] = call.split(' ');
  const filled = template.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(String(path[name])));
  const asked = Object.entries(query)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`);
  const address = `${url.replace(/\/$/, '')}${filled}${asked.length > 0 ? `?${asked.join('&')}` : ''}`;
  return { method: method ?? 'GET', address };
}

const headersOf = (request: { idempotencyKey?: string }, token?: string): Record<string, string> => ({
  ...('body' in request ? { 'content-type': 'application/json' } : {}),
  ...(token ? { authorization: `Bearer ${token}` } : {}),
  ...(request.idempotencyKey ? { 'idempotency-key': request.idempotencyKey } : {}),
});

function refusal({ status, headers }: Response, text: string): GoChatError {
  let problem: Partial<Problem> = {};
  try {
    problem = JSON.parse(text);
  } catch {
    // A proxy in between answers in its own way.
  }
  const seconds = Number(headers.get('retry-after') ?? Number.NaN);
  return new GoChatError(
    problem.code ?? (status === 401 ? 'UNAUTHENTICATED' : status >= 500 ? 'UNAVAILABLE' : `HTTP_${status}`),
    problem.detail ?? `The server answered ${status}.`,
    status === 429 || status >= 500,
    Number.isNaN(seconds) ? undefined : seconds * 1000,
  );
}
