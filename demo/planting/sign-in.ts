import type { Person } from '../world/people.ts';
import { type Call, type Caller, callerOf, isRefusal } from './calls.ts';

/** Registers a person, or signs in to the account of an earlier run. */
export async function signIn(call: Call, { username, password, displayName }: Person): Promise<Caller> {
  const body = { username, password };
  try {
    const caller = callerOf(call, await call('POST /auth/register', { body }), true);
    await caller.api('PUT /users/profile', { body: { displayName } });
    return caller;
  } catch (error) {
    if (!isRefusal(error, 'USERNAME_TAKEN')) throw error;
  }
  return callerOf(call, await call('POST /auth/login', { body }), false);
}
