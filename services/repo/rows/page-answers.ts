import { hash } from 'node:crypto';
import type { Encoded } from '../../../lib/grpc/definition.ts';

/** The last fields of every page. `tag` is a hash of the page's contents, the same in every process. */
type Tagged = { tag: string; unchanged: boolean; json?: Buffer | undefined };
/** `partial`, where a kind of page has it, stands beside a JSON body, too. */
type Contents<R> = Omit<R, keyof Tagged> & { partial?: boolean | undefined };

export type TaggedPage<R> = Encoded<R> & {
  tag: string;
  /** It may have signed addresses of files, which are others on another day. */
  signed: boolean;
};

/** Encodes the responses for one kind of page. */
export type PageAnswers<R extends Tagged> = {
  /** Encodes the page with its tag. With `asJson` the contents are encoded as the JSON body of the REST response. */
  full(page: Contents<R>, asJson: boolean): TaggedPage<R>;
  /** Encodes the response for a client that already has the page. */
  unchanged(tag: string): Encoded<R>;
};

/** The limit for a JSON body within one gRPC response. A longer page is sent as proto fields, which are smaller. */
const maxJsonBytes = 2 * 1024 * 1024;

/** `empty` is a page without contents. `toBody` builds the REST body of a page. */
export function pageAnswers<R extends Tagged>(
  codec: { encode(response: R): { finish(): Uint8Array } },
  empty: Contents<R>,
  toBody: (page: Contents<R>) => object,
): PageAnswers<R> {
  const encode = (contents: Contents<R>, tagged: Tagged): Buffer => {
    const bytes = codec.encode({ ...contents, ...tagged } as R).finish();
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
  return {
    full(page, asJson) {
      const json = asJson ? Buffer.from(JSON.stringify(toBody(page))) : undefined;
      if (json && json.length <= maxJsonBytes) {
        const tag = tagOf(json);
        const contents = page.partial ? { ...empty, partial: true } : empty;
        const encoded = encode(contents, { tag, unchanged: false, json });
        return { encoded, tag, signed: isSigned(json) };
      }
      const bytes = encode(page, { tag: '', unchanged: false });
      const tag = tagOf(bytes);
      // Two concatenated proto messages decode as one message with the fields of both.
      return {
        encoded: Buffer.concat([bytes, encode(empty, { tag, unchanged: false })]),
        tag,
        signed: isSigned(bytes),
      };
    },
    unchanged: (tag) => ({ encoded: encode(empty, { tag, unchanged: true }) }),
  };
}

const isSigned = (bytes: Buffer): boolean => bytes.includes('/files/');
const tagOf = (bytes: Buffer): string => hash('sha256', bytes, 'base64url').slice(0, 22);
