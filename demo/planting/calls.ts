// Room: brings a world into a running system: through its public API, and its history through im-repo's import. What the
// world is, is decided in world.

import { setTimeout as pause } from 'node:timers/promises';
import { type Api, createCall, GoChatError, type Session } from '@gochat/sdk';

/** Somebody who can call the API. */
export interface Caller {
  id: string;
  api: Api;
  /** True if the account was made just now. */
  isNew: boolean;
}

export type Call = ReturnType<typeof createCall>;

const attempts = 6;
const usualWaitMs = 500;

/** The public API, which is asked again when it says that it is busy. */
export function createPatientCall(url: string): Call {
  const call = createCall({ url });
  return async (name, request, token) => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await call(name, request, token);
      } catch (error) {
        if (!(error instanceof GoChatError) || !error.retryable || attempt === attempts) throw error;
        await pause(error.retryAfterMs ?? usualWaitMs * attempt);
      }
    }
  };
}

export const callerOf = (call: Call, { user, accessToken }: Session, isNew: boolean): Caller => ({
  id: user.id,
  isNew,
  api: (name, ...[request]) => call(name, request ?? ({} as never), accessToken),
});

/** True for a refusal with one of these codes, of the API or of an RPC. */
export const isRefusal = (error: unknown, ...codes: string[]): boolean =>
  codes.includes(String((Object(error) as { code?: unknown }).code));
