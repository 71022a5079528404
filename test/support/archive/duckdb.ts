import { Problem } from '../../../scripts/process/problem.ts';
import { findProgram, output } from '../../../scripts/process/program.ts';
import { cached } from '../../../scripts/stack/downloads.ts';

const version = '2.0.1';

/**
 * Answers an SQL query with DuckDB, which reads Parquet without anything of ours. It comes from the Python package index
 * and is kept for every checkout of this user. Throws a Problem where it cannot be had.
 */
export async function duckdb(sql: string): Promise<unknown[][]> {
  const python = findProgram('python3');
  if (python === undefined) throw new Problem('DuckDB needs Python 3.10 or newer: install python3.');
  const run = async (args: string[], env: NodeJS.ProcessEnv = {}): Promise<string> => {
    const done = await output(python, args, { env: { ...process.env, ...env }, timeoutMs: 120_000 });
    if (done.code === 0) return done.stdout;
    throw new Problem('DuckDB cannot be had here.', done.stderr);
  };
  const of = await run(['-c', 'import sys; print("%d.%d" % sys.version_info[:2])']);
  const folder = await cached(`duckdb-${version}-python-${of.trim()}`, async (draft) => {
    await run(['-m', 'pip', 'install', '--quiet', '--target', draft, `duckdb==${version}`]);
  });
  const program = 'import duckdb, json, sys; print(json.dumps(duckdb.sql(sys.argv[1]).fetchall()))';
  return JSON.parse(await run(['-c', program, sql], { PYTHONPATH: folder, PYTHONDONTWRITEBYTECODE: '1' }));
}
