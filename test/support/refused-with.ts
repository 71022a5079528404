import assert from 'node:assert/strict';
import { type Code, codeOf, GoChatError } from '../../lib/errors.ts';

/** Asserts that the call is refused with this code. */
export async function refusedWith(call: Promise<unknown>, code: Code): Promise<void> {
  await assert.rejects(call, (error: unknown) => {
    assert.ok(error instanceof GoChatError, String(error));
    assert.equal(error.code, code, error.message);
    return true;
  });
}

/** A predicate for `assert.rejects`: true if an error has this code. */
export const refusal = (code: Code) => (error: unknown) => codeOf(error) === code;
