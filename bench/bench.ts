import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { createLaboratory, runScenario } from './laboratory.ts';
import { type Options, readOptions, usage } from './options.ts';
import { compareRuns } from './report/compare.ts';
import { htmlReport } from './report/html.ts';
import type { RunResult } from './report/result.ts';
import { printChanges, printSummary } from './report/table.ts';
import { scenarios } from './scenarios/index.ts';
import { locateSystem } from './system/system.ts';

/** `npm run bench`: measures a running system. Exits 1 when anything was lost, repeated, out of order or refused. */
const args = process.argv.slice(2);
const names = scenarios.map(({ name }) => name);
const resultsFolder = 'bench/results';

if (args.includes('--help') || args.includes('-h')) {
  console.log(`${usage}\n\nScenarios: ${names.join(', ')}`);
  process.exit();
}
process.exit((await main()) ? 0 : 1);

async function main(): Promise<boolean> {
  let options: Options;
  try {
    options = readOptions(args, process.env, names);
  } catch (error) {
    console.error((error as Error).message);
    return false;
  }
  if (options.result !== undefined && options.compare !== undefined) {
    printChanges(compareRuns(readResult(options.compare), readResult(options.result)));
    return true;
  }
  const old = options.compare === undefined ? undefined : readResult(options.compare);
  const run = await measure(options);
  const changes = old ? compareRuns(old, run) : [];
  printSummary(run);
  if (old) printChanges(changes);
  const path = join(resultsFolder, run.startedAt.replaceAll(/[:.]/g, '-'));
  mkdirSync(resultsFolder, { recursive: true });
  writeFileSync(`${path}.json`, JSON.stringify(run));
  writeFileSync(`${path}.html`, htmlReport(run, changes));
  console.log(`\n${path}.json and ${path}.html hold all of it.`);
  return run.scenarios.every(({ faults }) => faults.length === 0);
}

async function measure(options: Options): Promise<RunResult> {
  const system = locateSystem(options.gateways, process.env);
  await assertReady(system.gateways);
  const laboratory = await createLaboratory(system, options);
  const run: RunResult = {
    startedAt: new Date().toISOString(),
    commit: commit(),
    machine: {
      cpu: cpus()[0]?.model ?? '',
      cores: cpus().length,
      memoryBytes: totalmem(),
      node: process.version,
    },
    gateways: system.gateways,
    arguments: args,
    scenarios: [],
  };
  for (const scenario of scenarios) {
    if (options.scenarios.includes(scenario.name))
      run.scenarios.push(await runScenario(scenario, laboratory));
  }
  laboratory.rest.close();
  return run;
}

async function assertReady(gateways: string[]): Promise<void> {
  for (const gateway of gateways) {
    const ready = await fetch(new URL('/readyz', gateway)).then(
      ({ ok }) => ok,
      () => false,
    );
    if (ready) continue;
    console.error(`No GoChat is ready at ${gateway}: start one with npm start, or name it with --gateways.`);
    process.exit(1);
  }
}

function readResult(path: string): RunResult {
  return JSON.parse(readFileSync(path, 'utf8'));
}

function commit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}
