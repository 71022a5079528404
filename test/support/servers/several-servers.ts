import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '../../../lib/log.ts';
import { migrate } from '../../../services/repo/migrate.ts';
import { atEnd } from '../at-end.ts';
import { type PrivateMariadb, startPrivateMariadb } from './mariadb-server.ts';

const roles = ['directory', 'a1', 'c1', 'c2'] as const;
export type ServerRole = (typeof roles)[number];

/** A server for each database of an installation with two databases of conversations, and the file that names them. */
export async function openSeveralServers(): Promise<{
  /** For DATABASES_FILE. */
  file: string;
  servers: Record<ServerRole, PrivateMariadb>;
}> {
  const started = await Promise.all(
    roles.map(async (role) => {
      const server = await startPrivateMariadb();
      await migrate({ url: server.url('gochat'), log: createLogger('test', 'error') });
      return [role, server] as const;
    }),
  );
  const servers = Object.fromEntries(started) as Record<ServerRole, PrivateMariadb>;
  const folder = mkdtempSync(join(tmpdir(), 'gochat-servers-'));
  atEnd(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'databases.json');
  const at = (role: ServerRole) => ({ name: role, primary: servers[role].url('gochat') });
  const content = {
    directory: { primary: servers.directory.url('gochat') },
    accounts: [at('a1')],
    conversations: [at('c1'), at('c2')],
  };
  writeFileSync(file, JSON.stringify(content), { mode: 0o600 });
  return { file, servers };
}
