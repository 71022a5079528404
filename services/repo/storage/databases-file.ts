import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { type DatabaseAddresses, oneDatabase, type Shard } from './databases.ts';
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
  refuseUnknown('DATABASES_FILE', file, ['directory', 'accounts', 'conversations', 'engine']);
  if ('engine' in file && file.engine !== 'plain') throw wrong('DATABASES_FILE: engine must be plain');
  return {
    directory: readDatabase('directory', file.directory),
    accounts: readOnly('accounts', file.accounts),
    conversations: readGroup('conversations', file.conversations),
  };
}

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

function readOnly(group: TableGroup, list: unknown): string {
  const [only, ...others] = readGroup(group, list);
  if (!only) throw wrong(`DATABASES_FILE names no database for ${group}`);
  if (others.length > 0) {
    throw wrong(`DATABASES_FILE names ${others.length + 1} databases for ${group}, which takes one`);
  }
  return only.url;
}

function readGroup(group: TableGroup, list: unknown): Shard[] {
  if (list === undefined) throw wrong(`DATABASES_FILE names no database for ${group}`);
  if (!Array.isArray(list)) throw wrong(`DATABASES_FILE: ${group} must be a list of databases`);
  const names = list.map((one, index) => nameOf(`${group}[${index}]`, one));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw wrong(`DATABASES_FILE names two databases of ${group} "${twice}"`);
  const addresses = list.map((one, index) => readDatabase(`${group} ${names[index]}`, one));
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

function readDatabase(where: string, value: unknown): string {
  if (value === undefined) throw wrong(`DATABASES_FILE names no database for ${where}`);
  const name = `DATABASES_FILE: ${where}`;
  const fields = fieldsOf(name, value);
  refuseUnknown(name, fields, ['name', 'primary', 'replicas']);
  const primary = checkAddress(`${name}: primary`, fields.primary);
  const { replicas = [] } = fields;
  if (!Array.isArray(replicas)) throw wrong(`${name}: replicas must be a list of addresses`);
  const places = replicas.map((one, index) => placeOf(checkAddress(`${name}: replicas[${index}]`, one)));
  if (places.includes(placeOf(primary))) throw wrong(`${name}: the primary is among its replicas`);
  if (places.length > 0) throw wrong(`${name}: replicas are not read yet, so leave the list empty`);
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
