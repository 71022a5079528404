import { Client, Connection } from '@temporalio/client';
import { atEnd } from './at-end.ts';

/** A client of the Temporal of the system under test, closed at the file's end. */
export async function openSystemTemporal(): Promise<Client> {
  const connection = await Connection.connect({ address: process.env.TEMPORAL_ADDRESS ?? '127.0.0.1:7233' });
  atEnd(() => connection.close());
  return new Client({ connection, namespace: 'gochat' });
}
