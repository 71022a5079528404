import type { Client } from '@temporalio/client';
import { withDeadline } from '../../../lib/async/deadline.ts';
import { GoChatError } from '../../../lib/errors.ts';

const deadlineMs = 5000;

/** Asks Temporal for something. Rejects with UNAVAILABLE while it is away, or when it takes longer than 5 s. */
export async function askTemporal<T>(
  client: Client | undefined,
  ask: (client: Client) => Promise<T>,
): Promise<T> {
  if (!client) throw new GoChatError('UNAVAILABLE', 'Temporal is out of reach.');
  const call = client.withDeadline(Date.now() + deadlineMs, () => ask(client));
  // The client's own retries may outlive its deadline, so a timer stands beside it.
  return withDeadline(call, deadlineMs, () => {
    throw new GoChatError('UNAVAILABLE', 'Temporal did not answer in time.');
  });
}
