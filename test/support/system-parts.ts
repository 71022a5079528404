import { connectRepo, type RepoClient } from '../../lib/grpc/clients.ts';
import { readGrpcToken } from '../../lib/grpc/token.ts';
import { createLogger } from '../../lib/log.ts';
import type { Database } from '../../services/repo/storage/database.ts';
import { createDatabases, type Databases } from '../../services/repo/storage/databases.ts';
import { readDatabaseAddresses } from '../../services/repo/storage/databases-file.ts';
import { atEnd } from './at-end.ts';

export type SystemParts = {
  /** im-repo of the system under test, for actions and checks that no client can make. */
  repo: RepoClient;
  /** Its databases, for checks. */
  databases: Databases;
  /** The one of conversations, if there is one only. */
  database: Database;
};

/** Opens connections to parts of the system under test; they are closed at the end of the file. */
export function openSystemParts(): SystemParts {
  const { REPO_ADDRESS, DATABASE_URL, DATABASES_FILE = '', GRPC_TOKEN_FILE = '' } = process.env;
  if (!REPO_ADDRESS || !DATABASE_URL) {
    throw new Error('REPO_ADDRESS or DATABASE_URL is not set: run the tests by `npm run test:fault`');
  }
  const repo = connectRepo(REPO_ADDRESS, readGrpcToken(GRPC_TOKEN_FILE));
  atEnd(repo.close);
  const databases = createDatabases({
    addresses: readDatabaseAddresses({
      DATABASE_URL: DATABASES_FILE === '' ? DATABASE_URL : '',
      DATABASES_FILE,
    }),
    log: createLogger('test', 'error'),
    connectionLimit: 2,
  });
  atEnd(databases.close);
  return { repo, databases, database: databases.conversations };
}
