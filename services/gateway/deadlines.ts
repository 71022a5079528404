/** For calls that a durable flow answers, and for sends that wait to be stored. */
export const flowDeadline = { deadlineMs: 12_000 };
