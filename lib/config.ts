import { readFileSync } from 'node:fs';
import { type Static, type TObject, type TProperties, Type } from 'typebox';
import { Value } from 'typebox/value';

/**
 * Reads a service's configuration from environment variables. The schema names the variables, their types and
 * defaults. Throws one error that names every variable that is missing or wrong.
 */
export function loadConfig<P extends TProperties>(
  schema: TObject<P>,
  env: Record<string, string | undefined> = process.env,
): Static<TObject<P>> {
  const known = Object.fromEntries(
    Object.keys(schema.properties)
      .map((name) => [name, env[name]])
      .filter(([, value]) => value !== undefined && value !== ''),
  );
  const config = Value.Convert(schema, Value.Default(schema, known));
  const wrong = Value.Errors(schema, config).map(
    (error) => `${error.instancePath.slice(1)} ${error.message}`,
  );
  if (wrong.length > 0) throw new Error(`configuration: ${[...new Set(wrong)].join('; ')}`);
  return Value.Parse(schema, config);
}

/** Variables of every service. */
export const commonConfig = {
  NODE_ENV: Type.String({ default: 'development' }),
  LOG_LEVEL: Type.String({ default: 'info' }),
  /** Address that gRPC and admin ports listen on. */
  BIND_HOST: Type.String({ default: '127.0.0.1' }),
  /** Path of the file with the token that services require in gRPC calls; empty: no token is required. */
  GRPC_TOKEN_FILE: Type.String({ default: '' }),
} satisfies TProperties;

export const port = (number: number) => Type.Integer({ default: number, minimum: 0, maximum: 65535 });

/** A variable that holds a duration or a number of things: a non-negative integer. */
export const count = (number: number) => Type.Integer({ default: number, minimum: 0 });

export const kafkaConfig = { KAFKA_BROKERS: Type.String({ default: '127.0.0.1:9092' }) };

export const temporalConfig = {
  TEMPORAL_ADDRESS: Type.String({ default: '127.0.0.1:7233' }),
  TEMPORAL_NAMESPACE: Type.String({ default: 'gochat' }),
};

export const presenceConfig = {
  /** Milliseconds from the close of a user's last session until the user counts as offline. */
  OFFLINE_CONFIRM_MS: count(30_000),
};

export const repoAddress = { REPO_ADDRESS: Type.String({ default: '127.0.0.1:9001' }) };
export const logicAddress = { LOGIC_ADDRESS: Type.String({ default: '127.0.0.1:9002' }) };

/** The contents of several secret files, whose paths are separated by commas. */
export const readSecretFiles = (paths: string): string[] =>
  paths
    .split(',')
    .map((path) => path.trim())
    .filter((path) => path !== '')
    .map(readSecretFile);

/** Reads a secret from a file. Secrets are in files since other users of a machine can see a process's environment. */
export function readSecretFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`configuration: cannot read the secret file ${path}`, { cause: error });
  }
}
