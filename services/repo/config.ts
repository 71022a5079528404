import { type Static, Type } from 'typebox';
import { commonConfig, count, kafkaConfig, port, presenceConfig } from '../../lib/config.ts';

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
  /**
   * Where uploaded files are: `fs:///directory`, which must exist, or `s3://bucket?endpoint=…&region=…` with the credentials
   * of the usual variables of AWS.
   */
  FILES_URL: Type.String({ default: 'fs:///var/lib/gochat/files' }),
  /**
   * Paths of files with secrets, separated by commas. The first one signs the addresses of files, and the signatures of all
   * are valid. Every im-repo must have the same ones.
   */
  FILES_SECRET_FILE: Type.String({ default: '' }),
  /** Where uploads are while they are received. If empty: the folder for temporary files. */
  FILES_UPLOAD_DIR: Type.String({ default: '' }),
  /** For tests: whatever touches the tables of two groups at once fails, although they share a database. */
  CHECK_TABLE_GROUPS: Type.Boolean({ default: false }),
  /** Where old messages go: file:///directory or s3://bucket?endpoint=…&region=…; empty: they stay in the database. */
  COLD_URL: Type.String({ default: '' }),
  /** Messages older than this many days are archived, but the newest COLD_KEEP_NEWEST of each conversation. */
  COLD_AFTER_DAYS: Type.Number({ default: 180, minimum: 0 }),
  COLD_KEEP_NEWEST: count(200),
  /** Hours between archiving messages and deleting them from the database. */
  COLD_GRACE_HOURS: Type.Number({ default: 24, minimum: 0 }),
  DATABASE_CONNECTIONS: Type.Integer({ default: 16, minimum: 2, maximum: 1000 }),
});

export type RepoConfig = Static<typeof repoConfig>;
