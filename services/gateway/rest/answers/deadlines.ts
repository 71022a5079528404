import { hashingMs } from '../../../../lib/domain/passwords.ts';

/** For calls that a Temporal workflow answers, and for sends that wait to be stored. */
export const flowDeadline = { deadlineMs: 12_000 };

/** For calls that check or store a password, and then open a session. */
export const passwordDeadline = { deadlineMs: hashingMs + 5000 };

/** For the erasure of an account, which checks the password and then starts a Temporal workflow. */
export const erasureDeadline = { deadlineMs: passwordDeadline.deadlineMs + flowDeadline.deadlineMs };
