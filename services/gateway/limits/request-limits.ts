import type { LogicClient } from '../../../lib/grpc/clients.ts';
import { createRateLimit, type RateLimit } from './rate-limit.ts';
import { createSignInLimits, type SignInLimits } from './sign-in-limits.ts';

/** The limits of REST requests that are counted per user, address or account. */
export type RequestLimits = {
  /** Per user. */
  requests: RateLimit;
  /** Per address. */
  registrations: RateLimit;
  signIns: SignInLimits;
};

export function createRequestLimits(options: {
  auth: Pick<LogicClient['auth'], 'getSignInAccount'>;
  requestsPerMinute: number;
  registersPerHour: number;
  loginFailuresPer15Min: number;
}): RequestLimits {
  return {
    requests: createRateLimit({
      limit: options.requestsPerMinute,
      windowMs: 60_000,
      sentence: 'Too many requests. Try again when the minute is over.',
    }),
    registrations: createRateLimit({
      limit: options.registersPerHour,
      windowMs: 3_600_000,
      sentence: 'Too many accounts were created from this address. Try again later.',
    }),
    signIns: createSignInLimits({ auth: options.auth, failures: options.loginFailuresPer15Min }),
  };
}
