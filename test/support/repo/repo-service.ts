import { loadConfig } from '../../../lib/config.ts';
import { connectRepo } from '../../../lib/grpc/clients.ts';
import { createLogger } from '../../../lib/log.ts';
import { repoConfig } from '../../../services/repo/config.ts';
import { startRepo } from '../../../services/repo/service.ts';
import { readDatabaseAddresses } from '../../../services/repo/storage/databases-file.ts';
import { atEnd } from '../at-end.ts';
import { startPrivateRedis } from '../servers/redis-server.ts';
import { connectDatabases, openMigratedDatabase } from './database.ts';

/**
 * im-repo as a service with a client, and with a separate database and Redis for the test file. A file opens one at
 * its top level, before its first test; it is closed at the end of the file. With DATABASES_FILE in `env` it has the
 * databases that the file names.
 */
export async function openRepoService(env: Record<string, string> = {}) {
  const redis = await startPrivateRedis();
  const { DATABASES_FILE = '' } = env;
  const databaseUrl = DATABASES_FILE === '' ? await openMigratedDatabase() : '';
  const databases = connectDatabases(readDatabaseAddresses({ DATABASE_URL: databaseUrl, DATABASES_FILE }));
  const config = loadConfig(repoConfig, {
    ...process.env,
    ...env,
    DATABASE_URL: databaseUrl,
    DATABASES_FILE,
    REDIS_URL: redis.url,
    REPO_GRPC_PORT: '0',
    METRICS_PORT: '0',
  });
  const service = await startRepo(config, createLogger('test', process.env.TEST_LOG_LEVEL ?? 'fatal'));
  atEnd(service.stop);
  const address = `127.0.0.1:${service.grpcPort}`;
  const repo = connectRepo(address);
  atEnd(repo.close);
  return { service, address, repo, databases };
}
