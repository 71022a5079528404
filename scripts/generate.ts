import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Problem, report } from './process/problem.ts';
import { output } from './process/program.ts';

const root = resolve(import.meta.dirname, '..');
const generated = join(root, 'lib', 'gen');
const prismaClient = join(root, 'services', 'repo', 'prisma', 'client');
const sdk = join(root, 'clients', 'sdk');
const web = join(root, 'clients', 'web');
const prismaSources = ['prisma/schema.prisma', 'prisma.config.ts', 'node_modules/prisma/package.json'];

/**
 * `npm run generate` generates the code from proto/, prisma/ and the API documents, and builds the SDK and the web client;
 * --check only compares the code that is committed.
 */
if (import.meta.main) {
  try {
    if (process.argv.includes('--check')) {
      await assertProtoCodeIsCurrent();
      await generateWireTypes(['--check']);
    } else {
      await Promise.all([generateProtoCode(), generatePrismaClient()]);
      await generateWireTypes();
      await buildClients();
    }
  } catch (error) {
    report(error);
  }
}

/** lib/gen is committed, so that readers find the types in the repository and see changes in the diff. */
export async function generateProtoCode(): Promise<void> {
  const fresh = await freshProtoCode();
  rmSync(generated, { recursive: true, force: true });
  cpSync(fresh.code, generated, { recursive: true });
  fresh.remove();
}

export async function assertProtoCodeIsCurrent(): Promise<void> {
  const fresh = await freshProtoCode();
  const stale = differingFiles(fresh.code, generated);
  fresh.remove();
  if (stale.length === 0) return;
  throw new Problem(
    'lib/gen differs from proto/: run npm run generate and commit the result.',
    stale.join('\n'),
  );
}

/**
 * The Prisma client is large, so it is not committed; this generates it if it is missing or older than its schema.
 */
export async function generatePrismaClient(): Promise<void> {
  const stamp = join(prismaClient, '.made-from');
  const wanted = digestOf(prismaSources);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  // Generating needs no schema engine, which Prisma would otherwise try to download.
  process.env.PRISMA_SCHEMA_ENGINE_BINARY = '/bin/true';
  const { code, stdout, stderr } = await run('prisma', ['generate', '--no-hints']);
  if (code !== 0) throw new Problem('prisma could not generate the client:', `${stdout}${stderr}`);
  writeFileSync(stamp, wanted);
}

/** Generates the types of the SDK from the API documents of a gateway. */
async function generateWireTypes(options: string[] = []): Promise<void> {
  const { code, stdout, stderr } = await runNode([join(sdk, 'build', 'generate.ts'), ...options]);
  if (code !== 0) throw new Problem('The types of the SDK could not be generated:', `${stdout}${stderr}`);
}

/** The SDK, then the web client, which is made of it. */
export async function buildClients(): Promise<void> {
  await buildSdk();
  await buildWebClient();
}

/** The package of the SDK is not committed, so this builds it if it is missing or older than its sources. */
export function buildSdk(): Promise<void> {
  return buildIfChanged(sdk, {
    what: 'The SDK',
    sources: [...filesIn(join(sdk, 'src')).map((name) => `src/${name}`), 'build/build.ts', 'package.json'],
    program: ['build/build.ts'],
  });
}

/** The same for what the gateways serve at /. */
function buildWebClient(): Promise<void> {
  const folders = ['src', 'public', 'build'];
  const sources = folders.flatMap((folder) => filesIn(join(web, folder)).map((name) => `${folder}/${name}`));
  return buildIfChanged(web, {
    what: 'The web client',
    sources: [
      ...sources,
      'index.html',
      'embed.html',
      'package.json',
      'vite.config.ts',
      '../sdk/dist/.made-from',
      '../../package-lock.json',
    ],
    program: ['../../node_modules/vite/bin/vite.js', 'build', '--logLevel', 'warn'],
  });
}

/** Runs the program that fills `dist`, in the folder of a package, unless `dist` was made from the same sources. */
async function buildIfChanged(
  folder: string,
  { what, sources, program }: { what: string; sources: string[]; program: [string, ...string[]] },
): Promise<void> {
  const stamp = join(folder, 'dist', '.made-from');
  const wanted = digestOf(sources.map((name) => join(folder, name)));
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  const [script, ...options] = program;
  const { code, stdout, stderr } = await runNode([join(folder, script), ...options], folder);
  if (code !== 0) throw new Problem(`${what} could not be built:`, `${stdout}${stderr}`);
  writeFileSync(stamp, wanted);
}

async function freshProtoCode(): Promise<{ code: string; remove(): void }> {
  const folder = mkdtempSync(join(tmpdir(), 'gochat-proto-'));
  // The template's `out` is ../lib/gen, seen from proto/.
  const options = [
    'generate',
    'proto',
    '--template',
    'proto/buf.gen.yaml',
    '--output',
    join(folder, 'proto'),
  ];
  const { code, stderr } = await run('buf', options);
  if (code !== 0) throw new Problem('buf could not generate lib/gen:', stderr);
  return { code: join(folder, 'lib', 'gen'), remove: () => rmSync(folder, { recursive: true }) };
}

function run(tool: string, args: string[]) {
  return output(join(root, 'node_modules', '.bin', tool), args, { timeoutMs: 120_000 });
}

function runNode(args: string[], cwd = root) {
  return output(process.execPath, args, { timeoutMs: 120_000, cwd });
}

/** Paths that only one of the folders has, or that differ. */
export function differingFiles(one: string, other: string): string[] {
  const names = new Set([...filesIn(one), ...filesIn(other)]);
  return [...names].sort().filter((name) => contentOf(join(one, name)) !== contentOf(join(other, name)));
}

function filesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

function contentOf(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

function digestOf(paths: string[]): string {
  const hash = createHash('sha256');
  for (const path of paths) hash.update(readFileSync(resolve(root, path)));
  return hash.digest('hex');
}
