import { readFileEntry } from '../storage/databases-file.ts';

/** Where old messages go, and which. `url` is empty if they stay in the database. */
export type ColdSettings = { url: string; afterDays: number; keepNewest: number; graceHours: number };

type ColdConfig = {
  DATABASES_FILE: string;
  COLD_URL: string;
  COLD_AFTER_DAYS: number;
  COLD_KEEP_NEWEST: number;
  COLD_GRACE_HOURS: number;
};

/**
 * The settings of the cold store, from COLD_… or from the entry `cold` of the file that DATABASES_FILE names. Throws a
 * configuration error.
 */
export function readColdSettings(config: ColdConfig): ColdSettings {
  const usual = {
    url: config.COLD_URL,
    afterDays: config.COLD_AFTER_DAYS,
    keepNewest: config.COLD_KEEP_NEWEST,
    graceHours: config.COLD_GRACE_HOURS,
  };
  const entry = config.DATABASES_FILE === '' ? undefined : readFileEntry(config.DATABASES_FILE, 'cold');
  if (entry === undefined) return usual;
  if (config.COLD_URL !== '') throw wrong('COLD_URL and the entry cold of DATABASES_FILE both name a store');
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) {
    throw wrong('DATABASES_FILE: cold must have named entries');
  }
  const fields = entry as Record<string, unknown>;
  const unknown = Object.keys(fields).find((name) => !Object.hasOwn(usual, name));
  if (unknown !== undefined) throw wrong(`DATABASES_FILE: cold has an unknown entry "${unknown}"`);
  if (typeof fields.url !== 'string' || fields.url === '') throw wrong('DATABASES_FILE: cold needs a url');
  const number = (name: 'afterDays' | 'keepNewest' | 'graceHours'): number => {
    const value = fields[name] ?? usual[name];
    if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
    throw wrong(`DATABASES_FILE: cold: ${name} must be a number that is not negative`);
  };
  return {
    url: fields.url,
    afterDays: number('afterDays'),
    keepNewest: number('keepNewest'),
    graceHours: number('graceHours'),
  };
}

const wrong = (sentence: string) => new Error(`configuration: ${sentence}`);
