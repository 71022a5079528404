/** True for new and redelivered messages, and for retries of messages that were stored after their refusal. */
export const mustBeDelivered = (saved: { duplicate: boolean; undelivered?: boolean | undefined }): boolean =>
  !saved.duplicate || saved.undelivered === true;
