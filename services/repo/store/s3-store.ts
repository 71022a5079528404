import { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { checkKey, type ObjectStore, type StoredObject, WrongBody } from './store.ts';

export type S3Address = {
  bucket: string;
  /** Begins every key; empty or with a slash at its end. */
  prefix: string;
  /** The address of a server other than Amazon's. */
  endpoint: string | undefined;
  region: string;
};

/** Calls that send no stream are tried again by the client. */
const maxAttempts = 3;
const connectMs = 2000;
/** A connection on which nothing moves for this long is given up. */
const idleMs = 30_000;

/** Keeps the objects in a bucket. Credentials come from the usual variables and files of AWS. */
export function createS3Store({ bucket, prefix, endpoint, region }: S3Address): ObjectStore {
  const client = new S3Client({
    region,
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    maxAttempts,
    requestHandler: { connectionTimeout: connectMs, socketTimeout: idleMs },
    // Not every server knows the checksums that the client would add by itself; `put` sends the SHA-256.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
  const named = (key: string) => {
    checkKey(key);
    return { Bucket: bucket, Key: `${prefix}${key}` };
  };

  return {
    async put(key, body, { size, sha256, contentType }) {
      // The client waits for a stream that broke off until the server gives up.
      const broken = new AbortController();
      const stream =
        body instanceof Uint8Array ? body : Readable.from(ofSize(body, size), { objectMode: false });
      if (stream instanceof Readable) stream.once('error', (error) => broken.abort(error));
      const command = new PutObjectCommand({
        ...named(key),
        Body: stream,
        ContentLength: size,
        IfNoneMatch: '*',
        ...(contentType === undefined ? {} : { ContentType: contentType }),
        ...(sha256 === undefined ? {} : { ChecksumSHA256: Buffer.from(sha256, 'hex').toString('base64') }),
      });
      try {
        await client.send(command, { abortSignal: broken.signal });
        return 'stored';
      } catch (error) {
        if (broken.signal.aborted) throw broken.signal.reason;
        if (isNamed(error, 'PreconditionFailed')) return 'existed';
        if (isWrongBody(error)) throw new WrongBody('the body has another size or hash', { cause: error });
        throw error;
      } finally {
        if (stream instanceof Readable) stream.destroy();
        if (!(body instanceof Uint8Array)) body.destroy();
      }
    },

    async get(key, part, { signal } = {}) {
      const range = part ? { Range: `bytes=${part.start}-${part.end}` } : {};
      const command = new GetObjectCommand({ ...named(key), ...range });
      try {
        const found = await client.send(command, signal ? { abortSignal: signal } : {});
        const size = found.ContentRange
          ? Number(found.ContentRange.split('/')[1])
          : (found.ContentLength ?? 0);
        return { body: found.Body as Readable, size, ...etagOf(found.ETag) } satisfies StoredObject;
      } catch (error) {
        if (isMissing(error)) return undefined;
        if (isNamed(error, 'InvalidRange')) throw new RangeError('the part is not in the object');
        throw error;
      }
    },

    async head(key) {
      try {
        const found = await client.send(new HeadObjectCommand(named(key)));
        const modifiedAt = found.LastModified?.getTime() ?? 0;
        return { size: found.ContentLength ?? 0, modifiedAt, ...etagOf(found.ETag) };
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    },

    async delete(key) {
      const { Bucket, Key } = named(key);
      for (const VersionId of await versionsOf(Bucket, Key)) {
        await client.send(new DeleteObjectCommand({ Bucket, Key, ...(VersionId ? { VersionId } : {}) }));
      }
    },

    async *list(listed) {
      let ContinuationToken: string | undefined;
      do {
        const page = await client.send(
          new ListObjectsV2Command({ Bucket: bucket, Prefix: `${prefix}${listed}`, ContinuationToken }),
        );
        for (const { Key = '', Size = 0, LastModified } of page.Contents ?? []) {
          yield { key: Key.slice(prefix.length), size: Size, modifiedAt: LastModified?.getTime() ?? 0 };
        }
        ContinuationToken = page.NextContinuationToken;
      } while (ContinuationToken !== undefined);
    },

    close: async () => client.destroy(),
  };

  /** The versions that the bucket keeps of an object, delete markers included; undefined stands for the only one. */
  async function versionsOf(Bucket: string, Key: string): Promise<(string | undefined)[]> {
    const versions: (string | undefined)[] = [];
    let KeyMarker: string | undefined;
    let VersionIdMarker: string | undefined;
    do {
      const command = new ListObjectVersionsCommand({ Bucket, Prefix: Key, KeyMarker, VersionIdMarker });
      const page = await client.send(command).catch((error: unknown) => {
        if (isNamed(error, 'NotImplemented')) return undefined;
        throw error;
      });
      if (!page) return [undefined];
      for (const version of [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])]) {
        if (version.Key === Key) versions.push(version.VersionId);
      }
      KeyMarker = page.NextKeyMarker;
      VersionIdMarker = page.NextVersionIdMarker;
    } while (KeyMarker !== undefined && KeyMarker === Key);
    return versions;
  }
}

/** The same bytes. Fails at the end if they are not so many. */
async function* ofSize(body: Readable, size: number): AsyncGenerator<Buffer> {
  let sent = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    sent += chunk.length;
    if (sent > size) break;
    yield chunk;
  }
  if (sent !== size) throw new WrongBody(`the body does not have ${size} bytes`);
}

const isNamed = (error: unknown, ...names: string[]): boolean =>
  error instanceof S3ServiceException && names.includes(error.name);

/** A missing object. A missing bucket is another error: the store is not there. */
const isMissing = (error: unknown): boolean => isNamed(error, 'NoSuchKey', 'NotFound');

const isWrongBody = (error: unknown): boolean =>
  isNamed(error, 'BadDigest', 'XAmzContentSHA256Mismatch', 'XAmzContentChecksumMismatch', 'IncompleteBody');

const etagOf = (etag: string | undefined): { etag?: string } =>
  etag === undefined ? {} : { etag: etag.replaceAll('"', '') };
