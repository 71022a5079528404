import { defaultPayloadConverter, type PayloadConverter } from '@temporalio/common';

/** Stands for input that cannot be decoded. No shape accepts it. */
export const undecodable = Symbol.for('gochat: input that cannot be decoded');

/**
 * Decodes payloads inside flows. It is the standard converter, except that input with an unknown encoding or with broken
 * JSON becomes `undecodable`: such a start then fails and such an update is refused like any other wrong input. The
 * standard converter throws, and Temporal would retry the workflow task for ever: the run would neither fail nor go on.
 * Results of activities come from this system, so an error there is not hidden.
 */
export const payloadConverter: PayloadConverter = {
  toPayload: (value, context, hint) => defaultPayloadConverter.toPayload(value, context, hint),
  fromPayload<T>(...given: Parameters<typeof defaultPayloadConverter.fromPayload<T>>): T {
    try {
      return defaultPayloadConverter.fromPayload<T>(...given);
    } catch (error) {
      const [, context] = given;
      if (context?.type !== 'workflow') throw error;
      return undecodable as T;
    }
  },
};
