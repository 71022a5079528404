import { hashingMs } from '../../../../lib/domain/passwords.ts';

/** For calls that a durable flow answers, and for sends that wait to be stored. */
export const flowDeadline = { deadlineMs: 12_000 };

/** For calls that check or store a password, and then open a session. */
export const passwordDeadline = { deadlineMs: hashingMs + 5000 };

/** To erase an account its password is checked, then a durable flow is begun. */
export const erasureDeadline = { deadlineMs: passwordDeadline.deadlineMs + flowDeadline.deadlineMs };
