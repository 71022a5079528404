import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { type DatabaseAddresses, oneDatabase, type Shard } from './databases.ts';
import type { ReadSettings } from './replicas.ts';
import type { TableGroup } from './table-groups.ts';

/**
 * The database of each group, from DATABASE_URL or from the file that DATABASES_FILE names. Throws one sentence about
 * the first fault. No error has an address, since addresses have passwords.
 */
export function readDatabaseAddresses(config: {
  DATABASE_URL: string;
  DATABASES_FILE: string;
}): DatabaseAddresses {
  const { DATABASE_URL: url, DATABASES_FILE: path } = config;
  if (url !== '' && path !== '') {
    throw wrong(
      'DATABASE_URL and DATABASES_FILE are both set: the file names all databases, so unset the first',
    );
  }
  if (url === '' && path === '') throw wrong('neither DATABASE_URL nor DATABASES_FILE is set');
  return path === '' ? oneDatabase(checkAddress('DATABASE_URL', url)) : readFile(path);
}

const wrong = (sentence: string, cause?: unknown) => new Error(`configuration: ${sentence}`, { cause });

function readFile(path: string): DatabaseAddresses {
  const file = parseFile(path, readText(path));
  refuseUnknown('DATABASES_FILE', file, [
    'directory',
    'accounts',
    'conversations',
    'engine',
    'reads',
    'cold',
  ]);
  if ('engine' in file && file.engine !== 'plain') throw wrong('DATABASES_FILE: engine must be plain');
  const replicas = new Map<string, readonly string[]>();
  const addresses = {
    directory: readDatabase('directory', file.directory, replicas),
    accounts: readOnly('accounts', file.accounts, replicas),
    conversations: readGroup('conversations', file.conversations, replicas),
  };
  const reads = readSettings(file.reads);
  checkReplicas(replicas);
  const someReplicas = [...replicas.values()].some(({ length }) => length > 0);
  return someReplicas ? { ...addresses, replicas, reads } : addresses;
}

/** A server is one thing: a primary, or a replica of one. */
function checkReplicas(replicas: ReadonlyMap<string, readonly string[]>): void {
  const primaries = new Set(Array.from(replicas.keys(), placeOf));
  const places = [...replicas.values()].flat().map(placeOf);
  if (places.some((place) => primaries.has(place))) {
    throw wrong('DATABASES_FILE names a database as a primary and as a replica');
  }
  if (new Set(places).size < places.length) throw wrong('DATABASES_FILE names a replica twice');
}

function readSettings(value: unknown): ReadSettings {
  const fields = value === undefined ? {} : fieldsOf('DATABASES_FILE: reads', value);
  refuseUnknown('DATABASES_FILE: reads', fields, ['maxLagMs', 'tokenWaitMs']);
  const milliseconds = (name: keyof ReadSettings, usual: number): number => {
    const given = fields[name] ?? usual;
    if (typeof given === 'number' && Number.isInteger(given) && given >= 1 && given <= 60_000) return given;
    throw wrong(`DATABASES_FILE: reads: ${name} must be a whole number of milliseconds from 1 to 60000`);
  };
  return { maxLagMs: milliseconds('maxLagMs', 1000), tokenWaitMs: milliseconds('tokenWaitMs', 50) };
}

/** An entry of the file that is not about databases; undefined if the file has none. Throws a configuration error. */
export const readFileEntry = (path: string, name: 'cold'): unknown => parseFile(path, readText(path))[name];

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw wrong(`cannot read DATABASES_FILE, ${path}`, error);
  }
}

/** JSON is YAML. */
function parseFile(path: string, text: string): Fields {
  let file: unknown;
  try {
    file = parse(text);
  } catch {
    // The parser's own error quotes the text, which has passwords.
    throw wrong(`DATABASES_FILE, ${path}, is neither YAML nor JSON`);
  }
  return fieldsOf('DATABASES_FILE', file);
}

function readOnly(group: TableGroup, list: unknown, replicas: Replicas): string {
  const [only, ...others] = readGroup(group, list, replicas);
  if (!only) throw wrong(`DATABASES_FILE names no database for ${group}`);
  if (others.length > 0) {
    throw wrong(`DATABASES_FILE names ${others.length + 1} databases for ${group}, which takes one`);
  }
  return only.url;
}

function readGroup(group: TableGroup, list: unknown, replicas: Replicas): Shard[] {
  if (list === undefined) throw wrong(`DATABASES_FILE names no database for ${group}`);
  if (!Array.isArray(list)) throw wrong(`DATABASES_FILE: ${group} must be a list of databases`);
  const names = list.map((one, index) => nameOf(`${group}[${index}]`, one));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw wrong(`DATABASES_FILE names two databases of ${group} "${twice}"`);
  const addresses = list.map((one, index) => readDatabase(`${group} ${names[index]}`, one, replicas));
  const places = addresses.map(placeOf);
  if (new Set(places).size < places.length) throw wrong(`DATABASES_FILE names a database of ${group} twice`);
  if (addresses.length === 0) throw wrong(`DATABASES_FILE names no database for ${group}`);
  return addresses.map((url, index) => ({ name: names[index] ?? '', url }));
}

function nameOf(where: string, value: unknown): string {
  const { name } = fieldsOf(`DATABASES_FILE: ${where}`, value);
  if (typeof name !== 'string' || !/^[A-Za-z0-9._-]{1,50}$/.test(name)) {
    throw wrong(`DATABASES_FILE: ${where} needs a name of letters, digits, dots, underscores and hyphens`);
  }
  return name;
}

/** The replicas of each primary, by its address. */
type Replicas = Map<string, readonly string[]>;

/** Returns the address of the primary, and adds its replicas. */
function readDatabase(where: string, value: unknown, all: Replicas): string {
  if (value === undefined) throw wrong(`DATABASES_FILE names no database for ${where}`);
  const name = `DATABASES_FILE: ${where}`;
  const fields = fieldsOf(name, value);
  refuseUnknown(name, fields, ['name', 'primary', 'replicas']);
  const primary = checkAddress(`${name}: primary`, fields.primary);
  const { replicas = [] } = fields;
  if (!Array.isArray(replicas)) throw wrong(`${name}: replicas must be a list of addresses`);
  const addresses = replicas.map((one, index) => checkAddress(`${name}: replicas[${index}]`, one));
  const places = addresses.map(placeOf);
  if (places.includes(placeOf(primary))) throw wrong(`${name}: the primary is among its replicas`);
  if (new Set(places).size < places.length) throw wrong(`${name}: a replica is named twice`);
  const before = all.get(primary);
  if (before && before.join() !== addresses.join()) {
    throw wrong(`${name}: another group names the same primary with other replicas`);
  }
  all.set(primary, addresses);
  return primary;
}

type Fields = Record<string, unknown>;

function fieldsOf(where: string, value: unknown): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw wrong(`${where} must have named entries`);
}

function refuseUnknown(where: string, fields: Fields, known: readonly string[]): void {
  const unknown = Object.keys(fields).find((name) => !known.includes(name));
  if (unknown !== undefined) throw wrong(`${where} has an unknown entry "${unknown}"`);
}

function checkAddress(where: string, value: unknown): string {
  const url = typeof value === 'string' ? URL.parse(value) : null;
  if (url?.protocol !== 'mysql:' || url.hostname === '' || url.pathname.length < 2) {
    throw wrong(`${where} must be an address mysql://user:password@host:port/database`);
  }
  return String(value);
}

/** The same for two addresses of one database, whatever account they use. */
function placeOf(address: string): string {
  const { hostname, port, pathname } = new URL(address);
  return `${hostname.toLowerCase()}:${port || '3306'}${pathname}`;
}
