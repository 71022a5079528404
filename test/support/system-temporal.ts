import { Client, Connection } from '@temporalio/client';
import { atEnd } from './at-end.ts';

/** A client of the system's Temporal server, closed at the end of the file. */
export async function openSystemTemporal(): Promise<Client> {
  const connection = await Connection.connect({ address: process.env.TEMPORAL_ADDRESS ?? '127.0.0.1:7233' });
  atEnd(() => connection.close());
  return new Client({ connection, namespace: 'gochat' });
}
