import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** The part of Prisma's own schema model that tests use. */
export type PrismaModel = {
  models: {
    name: string;
    dbName: string | null;
    fields: {
      name: string;
      dbName?: string;
      type: string;
      nativeType?: [string, string[]] | null;
      isRequired: boolean;
      default?: unknown;
    }[];
  }[];
  indexes: { model: string; type: 'id' | 'unique' | 'normal'; dbName?: string; fields: { name: string }[] }[];
};

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Reads Prisma's own model of prisma/schema.prisma as a Prisma generator gets it: without network and server. */
export async function readPrismaModel(): Promise<PrismaModel> {
  const folder = await mkdtemp(join(tmpdir(), 'gochat-prisma-'));
  try {
    const schema = await readFile(join(root, 'prisma/schema.prisma'), 'utf8');
    const provider = `${process.execPath} ${fileURLToPath(import.meta.url)}`;
    const generator = `generator model {\n  provider = ${JSON.stringify(provider)}\n}`;
    await writeFile(join(folder, 'schema.prisma'), schema.replace(/generator client \{[^}]*\}/, generator));
    const child = spawn(
      process.execPath,
      [
        join(root, 'node_modules/prisma/build/index.js'),
        'generate',
        '--schema',
        join(folder, 'schema.prisma'),
      ],
      {
        cwd: folder,
        stdio: 'ignore',
        env: {
          ...process.env,
          PRISMA_SCHEMA_ENGINE_BINARY: '/bin/true',
          MODEL_FILE: join(folder, 'model.json'),
        },
      },
    );
    const [code] = await once(child, 'exit');
    if (code !== 0) throw new Error(`prisma generate exited with ${code}`);
    return JSON.parse(await readFile(join(folder, 'model.json'), 'utf8'));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Runs as Prisma's generator: JSON-RPC requests on stdin, answers on stderr. */
async function generate(modelFile: string): Promise<void> {
  const results: Record<string, (params: { dmmf: { datamodel: unknown } }) => unknown> = {
    getManifest: () => ({ manifest: { prettyName: 'model', defaultOutput: '.' } }),
    generate: async ({ dmmf }) => {
      await writeFile(modelFile, JSON.stringify(dmmf.datamodel));
      return null;
    },
  };
  for await (const line of createInterface({ input: process.stdin })) {
    const { method, params, id } = JSON.parse(line);
    const result = await results[method]?.(params);
    process.stderr.write(`${JSON.stringify({ jsonrpc: '2.0', result, id })}\n`);
  }
}

if (import.meta.main && process.env.MODEL_FILE) await generate(process.env.MODEL_FILE);
