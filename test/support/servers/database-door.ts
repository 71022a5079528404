import { type Door, openDoor } from '../../../scripts/testing/doors/door.ts';
import { atEnd } from '../at-end.ts';
import { freePort } from './free-port.ts';

/** A door of its own to a database, which a test can shut or silence; it is closed at the end of the file. */
export async function openDatabaseDoor(address: string): Promise<{ url: string; door: Door }> {
  const url = new URL(address);
  const port = await freePort();
  const door = await openDoor({ port, target: Number(url.port || 3306) });
  atEnd(door.close);
  url.hostname = '127.0.0.1';
  url.port = String(port);
  return { url: url.href, door };
}
