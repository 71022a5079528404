import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { GoChatError } from '../../../../lib/errors.ts';
import type { RepoClient } from '../../../../lib/grpc/clients.ts';
import { beginOnce, type Claim, hashOf } from '../answers/idempotency.ts';
import type { Replay } from '../answers/replay.ts';
import { callerOf } from './authenticate.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set while the request holds the claim of its Idempotency-Key. */
    claim?: Claim;
  }
  interface FastifyContextConfig {
    /**
     * This route creates something and takes an Idempotency-Key, which belongs to the user who calls. Routes that
     * answer tokens have none: whoever sent the key would be let in.
     */
    replay?: Replay;
  }
}

/** Makes repeats of a creating POST answer what the first one made. */
export function honourIdempotencyKeys(
  app: FastifyInstance,
  deps: { idempotency: RepoClient['idempotency'] },
): void {
  const { idempotency } = deps;

  app.addHook('preHandler', async (request, reply) => {
    const { replay } = request.routeOptions.config;
    const header = request.headers['idempotency-key'];
    if (!replay || header === undefined) return;
    const begun = await beginOnce(idempotency, {
      // A conversation's id is part of the scope: the same key in another conversation is another request.
      scope: scopeOf(request),
      key: checkedKey(header),
      requestHash: hashOf(knownFields(request)),
    });
    if (begun.state === 'done') {
      const { status, body } = begun;
      const text = isSuccess(status) ? await replay.restore(body, callerOf(request).userId) : body;
      return repeat(reply, status, text);
    }
    request.claim = begun.claim;
  });

  // Before the answer goes out: whoever has read it can rely on its repeat.
  app.addHook('onSend', async (request, reply, payload) => {
    const { claim } = request;
    const { replay } = request.routeOptions.config;
    if (!claim || !replay) return payload;
    delete request.claim;
    const status = reply.statusCode;
    const text = typeof payload === 'string' ? payload : '';
    try {
      if (isDefinite(status)) await claim.complete(status, isSuccess(status) ? replay.keep(text) : text);
      else await claim.abandon();
    } catch (error) {
      // The claim's lease runs out by itself; a repeat then meets what the request left behind.
      request.log.warn({ err: error }, 'cannot settle an idempotency key');
    }
    return payload;
  });
}

const isSuccess = (status: number): boolean => status < 400;

/** 5xx and 429 say nothing about the request itself: a repeat has to be tried anew. */
const isDefinite = (status: number): boolean => status < 500 && status !== 429;

function repeat(reply: FastifyReply, status: number, body: string): FastifyReply {
  reply.code(status).header('idempotency-replayed', 'true');
  if (body === '') return reply.send();
  return reply
    .header('content-type', `application/${isSuccess(status) ? 'json' : 'problem+json'}; charset=utf-8`)
    .send(body);
}

function checkedKey(header: string | string[]): string {
  if (typeof header !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(header)) {
    throw new GoChatError('INVALID_ARGUMENT', 'Idempotency-Key takes 1 to 255 visible ASCII characters.', [
      { path: 'Idempotency-Key', message: 'must be 1 to 255 visible ASCII characters' },
    ]);
  }
  return header;
}

function scopeOf(request: FastifyRequest): string {
  const route = `${request.method} ${request.routeOptions.url}`;
  const params = Object.values(request.params as Record<string, string>).join(' ');
  return `user ${callerOf(request).userId} ${route} ${params}`.trimEnd();
}

/** What of the body the route knows, in one order: white space and unknown fields make no other request of it. */
function knownFields(request: FastifyRequest): string {
  const schema = request.routeOptions.schema?.body as { properties?: object } | undefined;
  const body = (request.body ?? {}) as Record<string, unknown>;
  const names = Object.keys(schema?.properties ?? {}).sort();
  return JSON.stringify(names.map((name) => [name, body[name]]));
}
