import { randomBytes } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { createLogger } from '../../../lib/log.ts';
import { provision } from '../../../services/task/temporal/provision.ts';
import { atEnd } from '../at-end.ts';

export const temporalAddress = process.env.TEMPORAL_ADDRESS ?? '127.0.0.1:7233';

/** A unique namespace name for the test file, and a connection; the namespace is deleted at the end of the file. */
export async function openTemporal() {
  const namespace = `gochat-test-${randomBytes(6).toString('hex')}`;
  const connection = await Connection.connect({ address: temporalAddress });
  atEnd(() => connection.close());
  atEnd(() => connection.operatorService.deleteNamespace({ namespace }));
  return { namespace, connection };
}

/** Creates a namespace with GoChat's settings, in which no other worker takes the file's flows. */
export async function openTemporalNamespace() {
  const { namespace, connection } = await openTemporal();
  await provision({ address: temporalAddress, namespace, log: createLogger('test', 'fatal') });
  return { namespace, connection, client: new Client({ connection, namespace }) };
}
