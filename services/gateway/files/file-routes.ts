// Room: files over HTTP: a file is read out of a form while it arrives, and answered in parts. Who may read a file, and what
// becomes of it, is for im-repo to say.

import { Readable } from 'node:stream';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { GoChatError } from '../../../lib/errors.ts';
import type { ReadFileResponse, UploadBegin, UploadFileRequest } from '../../../lib/gen/im_repo/v1/file.ts';
import type { FilesClient } from '../../../lib/grpc/clients.ts';
import { File, toFile } from '../../../lib/wire/file.ts';
import { required } from '../../../lib/wire/required.ts';
import type { RateLimit } from '../limits/rate-limit.ts';
import { BeyondEndError } from '../problems/problem.ts';
import { replayCurrent } from '../rest/answers/replay.ts';
import { named } from '../rest/answers/schemas.ts';
import { callerOf, countingRefusals } from '../rest/plugins/authenticate.ts';
import { headersOf, knownTags, partOf } from './file-headers.ts';
import { fileTooLarge, type MultipartFile, maxFormBytes, multipartFile } from './multipart-file.ts';
import { createPace, type Pace } from './pace.ts';

/** How long an upload or a download may take. */
export const transferMs = 600_000;
const multipart = 'multipart/form-data';
/** Of all uploads to this gateway together, so that they leave room for messages. */
const maxBytesPerSecond = 64 * 1024 * 1024;

export const fileRoutes: FastifyPluginAsyncTypebox<{
  files: Pick<FilesClient, 'uploadFile' | 'readFile' | 'getUploadedFile'>;
  /** Limits the requests with neither a valid token nor a valid signature, per address. */
  anonymous: RateLimit;
  /** Bytes per file, and of all files of a user; 0 for no quota. */
  limits: { fileBytes: number; quotaBytes: number };
}> = async (app, { files, anonymous, limits }) => {
  const tags = ['Files'];
  const pace = createPace(maxBytesPerSecond);
  // The handler reads the body while it arrives.
  app.addContentTypeParser(multipart, (_request, _body, done) => done(null));

  app.post(
    '/files',
    {
      config: {
        takesFiles: true,
        replay: replayCurrent<{ id: string }>(
          ({ id }) => ({ id }),
          async ({ id }, userId) => toFile(required((await files.getUploadedFile({ userId, id })).file)),
        ),
      },
      // The handler checks the form while it reads it.
      validatorCompiler: () => () => true,
      schema: {
        operationId: 'uploadFile',
        tags,
        summary: 'Upload a file',
        description:
          'Takes one file in the field `file`. Its type is what its content says. The place where a picture was taken is removed from it. The answer, as JSON, is the content of a message of type 2 (image) or 3 (file). A file that no message and no picture of a user or conversation refers to for 24 hours is deleted.',
        errors: ['PAYLOAD_TOO_LARGE', 'QUOTA_EXCEEDED', 'USER_NOT_FOUND', 'NOT_FOUND'],
        consumes: [multipart],
        body: Type.Object({ file: Type.Unsafe<unknown>({ type: 'string', format: 'binary' }) }),
        response: { 201: named(File) },
      },
    },
    async (request, reply) => {
      const { userId } = callerOf(request);
      requireMultipart(request, limits.fileBytes);
      const file = await multipartFile(request.raw, limits.fileBytes);
      const begin = {
        userId,
        name: file.name,
        maxBytes: limits.fileBytes,
        quotaBytes: limits.quotaBytes,
      };
      const { file: stored } = await files.uploadFile(uploadOf(begin, file, pace), {
        deadlineMs: transferMs,
      });
      return reply.code(201).send(toFile(required(stored)));
    },
  );

  app.get(
    '/files/:id',
    {
      config: { signed: true, takesRange: true },
      schema: {
        operationId: 'getFile',
        tags,
        summary: 'Get the bytes of a file',
        description:
          'For whoever has a signed address, uploaded the file, or is a member of a conversation that shows it. Pictures of users and conversations are for everybody who is signed in. Takes `Range` with one range, and `If-None-Match`. Answers `Content-Disposition: attachment` for everything but images, audio and video.',
        errors: ['PERMISSION_DENIED', 'NOT_FOUND'],
        security: [{ bearer: [] }, {}],
        params: Type.Object({
          id: Type.String({
            description: 'The last part of the address of the file',
            examples: ['7301444403200001-7301444403400001'],
          }),
        }),
        querystring: Type.Object({
          e: Type.Optional(
            Type.Integer({
              minimum: 0,
              maximum: Number.MAX_SAFE_INTEGER,
              description: 'When the signature expires, Unix seconds',
              examples: [1_793_145_600],
            }),
          ),
          s: Type.Optional(
            Type.String({ description: 'The signature', examples: ['mZ0bqTnY5c2QJ1xUo8r4Lw'] }),
          ),
        }),
        produces: ['application/octet-stream'],
        response: {
          200: bytes('The file'),
          206: bytes('The part of the file that Range asks for'),
          304: nothingElse('The file is unchanged: If-None-Match names its ETag'),
        },
      },
    },
    async (request, reply) => {
      const { headers, query } = request;
      const responses = files.readFile(
        {
          id: request.params.id,
          userId: request.caller?.userId ?? '',
          expiresAtS: query.e ?? 0,
          signature: query.s ?? '',
          // A part of an older version is never asked for: without a range, all is sent, which is always right.
          part: headers['if-range'] === undefined ? partOf(headers.range) : undefined,
          knownTags: knownTags(headers['if-none-match']),
          factsOnly: request.method === 'HEAD',
        },
        { deadlineMs: transferMs },
      );
      reply.raw.once('close', responses.cancel);
      const parts = responses[Symbol.asyncIterator]();
      const first = await countingRefusals(anonymous, request.ip, () => parts.next());
      return answer(request, reply, first, parts);
    },
  );
};

/** The schemas say nothing of the bytes, which are sent as they are. */
const bytes = (description: string) =>
  Type.Unsafe<unknown>({ type: 'string', format: 'binary', description });
const nothingElse = (description: string) => Type.Unsafe<unknown>({ type: 'null', description });

function requireMultipart({ headers }: FastifyRequest, maxBytes: number): void {
  if (!headers['content-type']?.toLowerCase().startsWith(multipart)) {
    throw new GoChatError('UNSUPPORTED_MEDIA_TYPE', `Send the file as ${multipart}.`);
  }
  if (Number(headers['content-length'] ?? 0) > maxBytes + maxFormBytes) throw fileTooLarge(maxBytes);
}

/** The file as requests: its chunks are not taken faster than `pace` allows. */
async function* uploadOf(
  begin: UploadBegin,
  { chunks }: MultipartFile,
  pace: Pace,
): AsyncGenerator<UploadFileRequest> {
  yield { part: { $case: 'begin', value: begin } };
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    await pace(chunk.length);
    yield { part: { $case: 'chunk', value: chunk } };
  }
  yield { part: { $case: 'end', value: { size } } };
}

type Parts = AsyncIterator<ReadFileResponse>;

function answer(
  { method }: FastifyRequest,
  reply: FastifyReply,
  first: IteratorResult<ReadFileResponse>,
  parts: Parts,
): FastifyReply {
  const part = first.done ? undefined : first.value.part;
  if (part?.$case !== 'facts') throw new Error('a file came without its facts');
  const facts = part.value;
  if (facts.beyondEnd) {
    reply.header('content-range', `bytes */${facts.size}`);
    throw new BeyondEndError();
  }
  reply.headers(headersOf(facts));
  if (facts.known) return reply.code(304).send();
  const { from, to, size } = facts;
  if (from === undefined || to === undefined) {
    reply.header('content-length', size);
    // For a HEAD request, an answer without any body would get a length of 0.
    return reply.send(method === 'HEAD' ? Readable.from([]) : bodyOf(parts));
  }
  reply
    .code(206)
    .headers({ 'content-range': `bytes ${from}-${to}/${size}`, 'content-length': to - from + 1 });
  return reply.send(bodyOf(parts));
}

const bodyOf = (parts: Parts): Readable => Readable.from(chunksOf(parts), { objectMode: false });

async function* chunksOf(parts: Parts): AsyncGenerator<Uint8Array> {
  for (let next = await parts.next(); !next.done; next = await parts.next()) {
    if (next.value.part?.$case === 'chunk') yield next.value.part.value;
  }
}
