import { type Static, Type } from 'typebox';
import { commonConfig, kafkaConfig, port, presenceConfig } from '../../lib/config.ts';

export const repoConfig = Type.Object({
  ...commonConfig,
  ...kafkaConfig,
  ...presenceConfig,
  /** mysql://user:password@host:port/database, of the database that has everything. */
  DATABASE_URL: Type.String({ default: '' }),
  /** Instead: the path of a file that names the database of each group of tables. */
  DATABASES_FILE: Type.String({ default: '' }),
  REDIS_URL: Type.String({ default: 'redis://127.0.0.1:6379/0' }),
  REPO_GRPC_PORT: port(9001),
  METRICS_PORT: port(9466),
  /** For tests: whatever touches the tables of two groups at once fails, although they share a database. */
  CHECK_TABLE_GROUPS: Type.Boolean({ default: false }),
  DATABASE_CONNECTIONS: Type.Integer({ default: 16, minimum: 2, maximum: 1000 }),
});

export type RepoConfig = Static<typeof repoConfig>;
