import type { FastifyReply, FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import type { Metrics } from '../../../../lib/metrics.ts';

/**
 * A page from logic, without content if it is `unchanged`. `json` is the serialised answer; if logic did not serialise it,
 * `body` returns the answer as an object.
 */
export type Page = { tag: string; unchanged: boolean; json?: Buffer | undefined; body: () => object };

export type Pages = {
  /**
   * Answers a request with a page. `load` gets the page from logic; it is called with the tag of the page that is cached
   * under `key`, or else that the client holds. Logic checks in each call if the caller may read the page.
   */
  answer(
    request: FastifyRequest,
    reply: FastifyReply,
    key: string,
    load: (knownTag: string) => Promise<Page>,
  ): Promise<FastifyReply>;
};

const maxBytes = 64 * 1024 * 1024;

/**
 * Caches the latest answers as bytes, so that an unchanged page is neither sent through the system nor serialised again.
 * The page's tag is the ETag of the answer: a client that sends it as If-None-Match gets 304 while the page is unchanged.
 */
export function createPages(metrics: Metrics): Pages {
  const cache = new LRUCache<string, { tag: string; bytes: Buffer }>({
    maxSize: maxBytes,
    sizeCalculation: ({ bytes }, key) => 300 + key.length + bytes.length,
  });
  const answers = metrics.counter('gochat_pages_total', 'Pages answered, by how they were answered.', ['as']);

  return {
    async answer(request, reply, key, load) {
      const cached = cache.get(key);
      const clientTags = tagsOf(request.headers['if-none-match']);
      const knownTag = cached?.tag ?? clientTags[0] ?? '';
      const page = await load(knownTag);
      // The ETag is weak, because another version of the gateway may serialise the same page differently.
      reply.headers({ etag: `W/"${page.tag}"`, 'cache-control': 'private, no-cache' });
      if (clientTags.includes(page.tag)) {
        answers.inc({ as: 'not modified' });
        return reply.code(304).send();
      }
      reply.type('application/json; charset=utf-8');
      if (page.unchanged && cached) {
        answers.inc({ as: 'unchanged' });
        return reply.send(cached.bytes);
      }
      const bytes = page.json ?? Buffer.from(reply.serialize(page.body()) as string);
      cache.set(key, { tag: page.tag, bytes });
      answers.inc({ as: 'changed' });
      return reply.send(bytes);
    },
  };
}

/** The tags in an If-None-Match header, weak or not. */
const tagsOf = (header: string | undefined): string[] =>
  header === undefined ? [] : Array.from(header.matchAll(/"([\w-]+)"/g), ([, tag = '']) => tag);
