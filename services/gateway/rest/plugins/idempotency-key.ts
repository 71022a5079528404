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
     * Set on routes that create something: they accept an Idempotency-Key, which belongs to the calling user. Routes that
     * answer with tokens must not have it, because anybody who knows the key would get the tokens.
     */
    replay?: Replay;
  }
}

/** Answers a repeated POST with the resource that the first one created. */
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

  // Store the answer before it is sent, so that a client that has read it can rely on repeats.
  app.addHook('onSend', async (request, reply, payload) => {
    const { claim } = request;
    const { replay } = request.routeOptions.config;
    if (!claim || !replay) return payload;
    delete request.claim;
    const status = reply.statusCode;
    const text = typeof payload === 'string' ? payload : '';
    try {
      if (isFinal(status)) await claim.complete(status, isSuccess(status) ? replay.keep(text) : text);
      else await claim.abandon();
    } catch (error) {
      // The claim's lease expires by itself. A repeat is then carried out again and finds what this request has stored.
      request.log.warn({ err: error }, 'cannot complete or abandon the claim of an idempotency key');
    }
    return payload;
  });
}

const isSuccess = (status: number): boolean => status < 400;

/** 5xx and 429 say nothing about the request itself, so a repeat must be carried out again. */
const isFinal = (status: number): boolean => status < 500 && status !== 429;

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

/** The fields of the body that the route knows, in a fixed order: white space and unknown fields make no difference. */
function knownFields(request: FastifyRequest): string {
  const schema = request.routeOptions.schema?.body as { properties?: object } | undefined;
  const body = (request.body ?? {}) as Record<string, unknown>;
  const names = Object.keys(schema?.properties ?? {}).sort();
  return JSON.stringify(names.map((name) => [name, body[name]]));
}
