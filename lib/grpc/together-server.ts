import { codeOf, GoChatError, messageOf } from '../errors.ts';
import type {
  CallOutcome,
  CallTogetherRequest,
  CallTogetherResponse,
} from '../gen/gochat_rpc/v1/together.ts';
import type { AnyMethod } from './definition.ts';

export type Handler = (request: unknown) => Promise<unknown>;
export type ServedMethod = { method: AnyMethod; call: Handler };

/** Half of what a client takes: the response that does not fit any more is asked for alone. */
const mostBytes = 8 * 1024 * 1024;

/** Answers several calls of one method, each with an outcome of its own. */
export function answerTogether(
  methods: ReadonlyMap<string, ServedMethod>,
): (request: CallTogetherRequest) => Promise<CallTogetherResponse> {
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
          return bytes > mostBytes ? outcome({ alone: true }) : outcome({ response: encoded });
        } catch (error) {
          const fields =
            error instanceof GoChatError && error.fields.length > 0 ? JSON.stringify(error.fields) : '';
          return outcome({ code: codeOf(error), message: messageOf(error), fields });
        }
      }),
    );
    return { outcomes };
  };
}

const nothing = Buffer.alloc(0);
const outcome = (some: Partial<CallOutcome>): CallOutcome => ({
  response: nothing,
  code: '',
  message: '',
  fields: '',
  alone: false,
  ...some,
});
