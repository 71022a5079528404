import { randomBytes } from 'node:crypto';
import { readSecretFiles } from '../../lib/config.ts';
import type { Logger } from '../../lib/log.ts';
import type { RepoConfig } from './config.ts';

const minLength = 16;

/**
 * The secrets that sign the addresses of files. Without a configured one, which only development allows, they are valid
 * until this process ends. Throws a configuration error.
 */
export function readFilesSecrets(config: RepoConfig, log: Logger): string[] {
  const secrets = readSecretFiles(config.FILES_SECRET_FILE).map((secret) => secret.trim());
  if (secrets.some((secret) => secret.length < minLength)) {
    throw new Error(`configuration: a secret of FILES_SECRET_FILE has less than ${minLength} characters`);
  }
  if (secrets.length > 0) return secrets;
  if (config.NODE_ENV === 'production') {
    throw new Error(
      'configuration: FILES_SECRET_FILE is not set, and whoever guesses a secret can read every file',
    );
  }
  log.warn('FILES_SECRET_FILE is not set: signed addresses of files are valid until this process ends');
  return [randomBytes(32).toString('base64url')];
}
