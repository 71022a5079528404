// Room: what `npm test` runs, and how it tells of it. No test is written here.

import { type ChildProcess, spawn } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tiedToUs } from '../process/program.ts';
import type { Counts } from './counts-reporter.ts';

/** A part of `npm test`. */
export interface Step {
  name: string;
  title: string;
  /** What has to run while it does. */
  needs: 'nothing' | 'servers' | 'system';
  /** Runs only when it is named. */
  onDemand?: boolean;
  /** Every service is a process of its own, which can fail by itself. */
  apart?: boolean;
  /** Settings that the system under test is given for it. */
  settings?: NodeJS.ProcessEnv;
  /** The test files that belong to it; a step without is a check. */
  files: string[];
  /** Once `stop` is aborted, it ends what it has started. */
  run(env: NodeJS.ProcessEnv, files: string[], stop: AbortSignal): Promise<Counts>;
}

const sources = 'lib,services,workflows,activities,clients,scripts,bench';
/** For one test, unless it names a time of its own. */
const longestTestMs = 2 * 60_000;
/** For all files of a step. Only a file whose process does not end makes it this long. */
const longestStepMs = 15 * 60_000;
const longestFaultsMs = 60 * 60_000;
/** Of what a failed check says. */
const mostLines = 120;

export const steps: Step[] = [
  check('lint', 'Format and lint', ['biome', 'ci', '--colors=off', '.'], ['buf', 'lint', 'proto']),
  check('types', 'Types', ['tsc', '--noEmit']),
  check('deps', 'Dependency rules', [
    'depcruise',
    ...['--config', '.dependency-cruiser.cjs'],
    ...existing('workflows', 'activities', 'services', 'lib', 'clients', 'scripts', 'bench', 'test'),
  ]),
  check('generated', 'Generated code is up to date', ['node', 'scripts/generate.ts', '--check']),
  check('repetition', 'Repeated code (.jscpd.json)', ['jscpd', '--no-colors', '.']),
  tests('unit', 'Unit tests', 'servers', `{${sources},test/support}/**/*.test.ts`),
  tests('replay', 'Replay of recorded workflow histories', 'servers', 'test/replay/**/*.test.ts'),
  tests('integration', 'Integration tests', 'servers', 'test/integration/**/*.test.ts', 1),
  // These kill processes that the others would be using.
  tests('e2e', 'End-to-end tests', 'system', 'test/e2e/**/*.test.ts', 1),
  // What the OpenAPI document says against what the system answers, by Schemathesis, which Python brings.
  {
    ...tests('schemathesis', 'Schemathesis', 'system', 'test/schemathesis/**/*.test.ts', 1),
    onDemand: true,
    settings: {
      RATE_LIMIT_REGISTER_PER_HOUR: '0',
      RATE_LIMIT_LOGIN_FAILURES_PER_15MIN: '0',
      RATE_LIMIT_REQUESTS_PER_MINUTE: '0',
      RATE_LIMIT_ANONYMOUS_PER_MINUTE: '0',
      // As many as a request may ask for.
      GROUP_MAX_MEMBERS: '100000',
    },
  },
  // Outages last as long as they last: `npm run test:fault`.
  {
    ...tests('fault', 'Fault tests', 'system', 'test/fault/**/*.test.ts', 1, longestFaultsMs),
    onDemand: true,
    apart: true,
    settings: {
      // A group of ten thousand is fanned out while its worker dies.
      GROUP_MAX_MEMBERS: '10500',
      // A storm outlasts the tokens of those who come back again and again.
      ACCESS_TOKEN_TTL_S: String(24 * 3600),
      // Who reads until an alert fires does not pause.
      RATE_LIMIT_REQUESTS_PER_MINUTE: '0',
    },
  },
];

/** Commands that answer with their exit code; their output is shown only if they fail. */
function check(name: string, title: string, ...commands: string[][]): Step {
  return {
    name,
    title,
    needs: 'nothing',
    files: [],
    async run(env, _, stop) {
      // Colours are for terminals; what is captured here may end up in a file.
      const plain = { ...env, NO_COLOR: '1', FORCE_COLOR: '0' };
      const counts = { passed: 0, failed: 0 };
      for (const [command = '', ...args] of commands) {
        const { code, output } = await captured(command, args, plain, stop);
        if (code !== 0) console.log(beginning(output));
        counts[code === 0 ? 'passed' : 'failed'] += 1;
      }
      return counts;
    },
  };
}

function tests(
  name: string,
  title: string,
  needs: Step['needs'],
  pattern: string,
  concurrency?: number,
  longestMs = longestStepMs,
): Step {
  return {
    name,
    title,
    needs,
    files: globSync(pattern, { exclude: ['**/node_modules/**'] }).sort(),
    run: (env, files, stop) => runTestFiles(env, files, stop, longestMs + stormMs(env), concurrency),
  };
}

async function runTestFiles(
  env: NodeJS.ProcessEnv,
  files: string[],
  stop: AbortSignal,
  longestMs: number,
  concurrency?: number,
): Promise<Counts> {
  if (files.length === 0) return { passed: 0, failed: 0 };
  const folder = mkdtempSync(join(tmpdir(), 'gochat-test-'));
  const counts = join(folder, 'counts.json');
  const reporters = import.meta.dirname;
  const args = [
    '--test',
    `--test-timeout=${longestTestMs}`,
    ...(concurrency === undefined ? [] : [`--test-concurrency=${concurrency}`]),
    ...[`--test-reporter=${join(reporters, 'failures-reporter.ts')}`, '--test-reporter-destination=stdout'],
    ...[`--test-reporter=${join(reporters, 'counts-reporter.ts')}`, `--test-reporter-destination=${counts}`],
    ...files,
  ];
  const code = await inherited(process.execPath, args, env, stop, longestMs);
  try {
    const result = JSON.parse(readFileSync(counts, 'utf8')) as Counts;
    // Anything that went wrong outside of a test must not pass for a success.
    return code !== 0 && result.failed === 0 ? { ...result, failed: 1 } : result;
  } catch {
    return { passed: 0, failed: 1 };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** How long the storm was told to last, on top of everything else. */
const stormMs = ({ STORM_MINUTES }: NodeJS.ProcessEnv): number => Number(STORM_MINUTES ?? 0) * 60_000;

function inherited(
  command: string,
  args: string[],
  env: NodeJS.ProcessEnv,
  stop: AbortSignal,
  longestMs: number,
): Promise<number> {
  const child = spawn(...tiedToUs(command, args), {
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: true,
  });
  return exitOf(child, stop, longestMs);
}

async function captured(command: string, args: string[], env: NodeJS.ProcessEnv, stop: AbortSignal) {
  const child = spawn(...tiedToUs(command, args), {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  const code = await exitOf(child, stop, longestStepMs);
  return { code, output: Buffer.concat(chunks).toString() };
}

/** Resolves to the exit code; a child that takes too long or is no longer wanted is ended with its children. */
function exitOf(child: ChildProcess, stop: AbortSignal, longestMs: number): Promise<number> {
  const end = () => {
    // The child is the head of a group of its own, which its own children belong to.
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  };
  const deadline = setTimeout(() => {
    console.log(`  ✗ ended after ${longestMs / 60_000} minutes: one of its files does not come to an end`);
    end();
  }, longestMs);
  stop.addEventListener('abort', end);
  return new Promise((resolve) => {
    const answer = (code: number) => {
      clearTimeout(deadline);
      stop.removeEventListener('abort', end);
      resolve(code);
    };
    child.once('error', () => answer(127));
    child.once('close', (code) => answer(code ?? 1));
  });
}

function beginning(output: string): string {
  const lines = output.trimEnd().split('\n');
  const more = lines.length - mostLines;
  return more <= 0 ? lines.join('\n') : `${lines.slice(0, mostLines).join('\n')}\n… and ${more} lines more`;
}

function existing(...folders: string[]): string[] {
  return folders.filter((folder) => globSync(folder).length > 0);
}
