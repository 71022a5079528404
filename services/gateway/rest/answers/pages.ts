import type { FastifyReply, FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import type { Metrics } from '../../../../lib/metrics.ts';

/**
 * A page as it comes from logic: left out when it is `unchanged`. `json` is the answer in the bytes that go out; where
 * logic did not write it, it is what `body` gives.
 */
export type Page = { tag: string; unchanged: boolean; json?: Buffer | undefined; body: () => object };

export type Pages = {
  /**
   * Answers a page that `load` asks logic for, naming the tag of the one known under this key. Whether the caller may
   * have it is decided there, at each call.
   */
  answer(
    request: FastifyRequest,
    reply: FastifyReply,
    key: string,
    load: (knownTag: string) => Promise<Page>,
  ): Promise<FastifyReply>;
};

const mostBytes = 64 * 1024 * 1024;

/**
 * The last answers in the bytes that went out, so that an unchanged page is neither carried through the system nor
 * written anew. Its tag is the answer's ETag: who sends it as If-None-Match is told 304 while it holds.
 */
export function createPages(metrics: Metrics): Pages {
  const kept = new LRUCache<string, { tag: string; bytes: Buffer }>({
    maxSize: mostBytes,
    sizeCalculation: ({ bytes }, key) => 300 + key.length + bytes.length,
  });
  const answers = metrics.counter('gochat_pages_total', 'Pages answered, by what had to be done for it.', [
    'as',
  ]);

  return {
    async answer(request, reply, key, load) {
      const known = kept.get(key);
      const held = tagsOf(request.headers['if-none-match']);
      const knownTag = known?.tag ?? held[0] ?? '';
      const page = await load(knownTag);
      // Weak: another version of ours may write the same page in other words.
      reply.headers({ etag: `W/"${page.tag}"`, 'cache-control': 'private, no-cache' });
      if (held.includes(page.tag)) {
        answers.inc({ as: 'not modified' });
        return reply.code(304).send();
      }
      reply.type('application/json; charset=utf-8');
      if (page.unchanged && known) {
        answers.inc({ as: 'unchanged' });
        return reply.send(known.bytes);
      }
      const bytes = page.json ?? Buffer.from(reply.serialize(page.body()) as string);
      kept.set(key, { tag: page.tag, bytes });
      answers.inc({ as: 'changed' });
      return reply.send(bytes);
    },
  };
}

/** The tags in an If-None-Match header, weak or not. */
const tagsOf = (header: string | undefined): string[] =>
  header === undefined ? [] : Array.from(header.matchAll(/"([\w-]+)"/g), ([, tag = '']) => tag);
