// Room: the command of the benchmark: it selects scenarios, system and report. No scenario may come in.

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { report } from '../scripts/process/problem.ts';
import { aborted, stopSignal } from '../scripts/process/stop-signal.ts';
import { createLaboratory, runScenario } from './laboratory/laboratory.ts';
import { type Options, readOptions, usage } from './laboratory/options.ts';
import { compareRuns } from './report/compare.ts';
import { htmlReport } from './report/html.ts';
import type { RunResult } from './report/result.ts';
import { printChanges, printSummary } from './report/table.ts';
import { heat } from './scenarios/heat.ts';
import { scenarios } from './scenarios/index.ts';
import { createOwnSystem } from './system/own-system.ts';
import { locateSystem, type System } from './system/system.ts';

/**
 * `npm run bench`: measures a running system, or one that it starts. Exit code 1: a message was lost, duplicated, out
 * of order or refused.
 */
const args = process.argv.slice(2);
const names = scenarios.map(({ name }) => name);
const resultsFolder = 'bench/results';

if (args.includes('--help') || args.includes('-h')) {
  console.log(`${usage}\n\nScenarios: ${names.join(', ')}`);
  process.exit();
}
const stop = stopSignal();
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
  const run = await measureSomewhere(options);
  if (!run) return false;
  const changes = old ? compareRuns(old, run) : [];
  printSummary(run);
  if (old) printChanges(changes);
  const path = join(resultsFolder, run.startedAt.replaceAll(/[:.]/g, '-'));
  mkdirSync(resultsFolder, { recursive: true });
  writeFileSync(`${path}.json`, JSON.stringify(run));
  writeFileSync(`${path}.html`, htmlReport(run, changes));
  console.log(`\n${path}.json and ${path}.html hold all of it.`);
  return !stop.aborted && run.scenarios.every(({ faults }) => faults.length === 0);
}

/** Measures the running system, or one that it starts and stops. Undefined if the named system is not ready. */
async function measureSomewhere(options: Options): Promise<RunResult | undefined> {
  const running = locateSystem(options.gateways, process.env);
  const unready = options.own.wanted ? running.gateways[0] : await firstUnready(running.gateways);
  if (unready === undefined) return measure(running, options);
  if (options.gateways) {
    console.error(`No GoChat is ready at ${unready}: start it, or leave out --gateways and GATEWAY_URL.`);
    return undefined;
  }
  const own = createOwnSystem(process.env, options.own, options.own.fresh);
  try {
    const system = await Promise.race([own.start(), aborted(stop)]);
    if (!system) return undefined;
    return await measure(system, options, options.heat);
  } catch (error) {
    report(error);
    return undefined;
  } finally {
    await own.stop();
  }
}

async function measure(system: System, options: Options, heatSeconds = 0): Promise<RunResult> {
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
    gateways: [...system.gateways],
    arguments: args,
    scenarios: [],
  };
  const all = async () => {
    let heated = heatSeconds === 0;
    for (const scenario of scenarios.filter(({ name }) => options.scenarios.includes(name))) {
      if (stop.aborted) return;
      if (!heated && !scenario.unheated) {
        heated = true;
        await heat(laboratory, heatSeconds);
      }
      run.scenarios.push(await runScenario(scenario, laboratory));
    }
  };
  // After an interruption, the report has the measurements so far.
  await Promise.race([all(), aborted(stop)]);
  await laboratory.close();
  return run;
}

async function firstUnready(gateways: string[]): Promise<string | undefined> {
  for (const gateway of gateways) {
    const ready = await fetch(new URL('/readyz', gateway)).then(
      ({ ok }) => ok,
      () => false,
    );
    if (!ready) return gateway;
  }
  return undefined;
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
