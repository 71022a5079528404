import type { Client } from '@temporalio/client';
import { withDeadline } from '../../../lib/async/deadline.ts';
import { GoChatError } from '../../../lib/errors.ts';

const deadlineMs = 5000;

/** Calls Temporal. Rejects with UNAVAILABLE while there is no connection, or if the call takes longer than 5 s. */
export async function askTemporal<T>(
  client: Client | undefined,
  ask: (client: Client) => Promise<T>,
): Promise<T> {
  if (!client) throw new GoChatError('UNAVAILABLE', 'Temporal is out of reach.');
  const call = client.withDeadline(Date.now() + deadlineMs, () => ask(client));
  // The client's retries may outlive its deadline, so there is a second timer.
  return withDeadline(call, deadlineMs, () => {
    throw new GoChatError('UNAVAILABLE', 'Temporal did not answer in time.');
  });
}
