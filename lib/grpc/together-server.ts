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

/** Half of the maximum size that a client accepts. The client repeats a call whose response does not fit by itself. */
const maxBytes = 8 * 1024 * 1024;

/** Serves a combined call: runs several calls of one method, and answers one outcome per call. */
export function answerTogether(
  methods: ReadonlyMap<string, ServedMethod>,
): (request: CallTogetherRequest) => Promise<Encoded<CallTogetherResponse>> {
  return async ({ method: path, requests }) => {
    const served = methods.get(path);
    if (!served) throw new GoChatError('INVALID_ARGUMENT', 'This server has no such method.');
    let bytes = 0;
    const outcomes = await Promise.all(
      requests.map(async (request) => {
        try {
          const response = await served.call(served.method.requestDeserialize(request));
          const encoded = served.method.responseSerialize(response);
          bytes += encoded.length;
          return bytes > maxBytes ? failure({ alone: true }) : success(encoded);
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
 * Encodes one successful outcome of a CallTogetherResponse around the response's bytes. The generated encoder would
 * copy these bytes several times, and responses are whole pages.
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
/** The protobuf tags of CallTogetherResponse.outcomes and CallOutcome.response: field 1, length-delimited. */
const outcomesTag = 10;
const responseTag = 10;
