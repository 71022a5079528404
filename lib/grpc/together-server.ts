import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { codeOf, GoChatError, messageOf } from '../errors.ts';
import {
  CallOutcome,
  type CallTogetherRequest,
  type CallTogetherResponse,
} from '../gen/gochat_rpc/v1/together.ts';
import type { AnyMethod, Encoded } from './definition.ts';

export type Handler = (request: unknown) => Promise<unknown>;
export type ServedMethod = { method: AnyMethod; call: Handler };

/** Half of what a client takes: the response that does not fit any more is asked for alone. */
const mostBytes = 8 * 1024 * 1024;

/** Answers several calls of one method, each with an outcome of its own. */
export function answerTogether(
  methods: ReadonlyMap<string, ServedMethod>,
): (request: CallTogetherRequest) => Promise<Encoded<CallTogetherResponse>> {
  return async ({ method: path, requests }) => {
    const served = methods.get(path);
    if (!served) throw new GoChatError('INVALID_ARGUMENT', 'There is no such method here.');
    let bytes = 0;
    const outcomes = await Promise.all(
      requests.map(async (request) => {
        try {
          const response = await served.call(served.method.requestDeserialize(request));
          const encoded = served.method.responseSerialize(response);
          bytes += encoded.length;
          return bytes > mostBytes ? failure({ alone: true }) : success(encoded);
        } catch (error) {
          const fields =
            error instanceof GoChatError && error.fields.length > 0 ? JSON.stringify(error.fields) : '';
          return failure({ code: codeOf(error), message: messageOf(error), fields });
        }
      }),
    );
    return { encoded: Buffer.concat(outcomes.flat()) };
  };
}

/**
 * The fields of a CallTogetherResponse with one response in it, around the response's own bytes: a generated encoder copies
 * these several times, and they are pages.
 */
function success(response: Buffer): Uint8Array[] {
  const inner = new BinaryWriter().uint32(responseTag).uint32(response.length).finish();
  const outer = new BinaryWriter()
    .uint32(outcomesTag)
    .uint32(inner.length + response.length)
    .finish();
  return [outer, inner, response];
}

function failure(some: Partial<Omit<CallOutcome, 'response'>>): Uint8Array[] {
  const outcome: CallOutcome = {
    response: nothing,
    code: '',
    message: '',
    fields: '',
    alone: false,
    ...some,
  };
  const writer = new BinaryWriter().uint32(outcomesTag).fork();
  return [CallOutcome.encode(outcome, writer).join().finish()];
}

const nothing = Buffer.alloc(0);
/** Field number and wire type of CallTogetherResponse.outcomes and of CallOutcome.response: 1, with a length. */
const outcomesTag = 10;
const responseTag = 10;
