// Room: child processes: started, watched, ended, and told apart. What they are is not known here.

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createBackOff } from './back-off.ts';
import { Problem } from './problem.ts';
import { identify } from './process-identity.ts';
import { tiedToUs } from './program.ts';
import { type RunFile, removeRunFile, supervisorName, writeRunFile } from './run-file.ts';

export interface ProcessSpec {
  name: string;
  command: string;
  args: string[];
  env: NodeJS.ProcessEnv;
  cwd?: string;
  /** One look at whether it can do its work; called until it says yes. */
  isReady(): Promise<boolean>;
  readyWithinMs: number;
  /** From SIGTERM to SIGKILL. */
  stopWithinMs: number;
  /** What it prints goes to our terminal instead of its log file. */
  inTerminal?: boolean;
  /** How many deaths before the first readiness mean that it will never start. */
  startAttempts: number;
}

export interface Supervisor {
  /** Starts a process and resolves when it is ready; from then on it is restarted whenever it dies. */
  start(spec: ProcessSpec): Promise<void>;
  stop(name: string): Promise<void>;
  logFile(name: string): string;
  /** From now on nothing is started any more: whatever is still being set up must not outlive the stop. */
  refuseStarts(): void;
  /** Removes run.json. Call it when everything has stopped. */
  forget(): void;
}

interface Supervised {
  spec: ProcessSpec;
  child: ChildProcess | undefined;
  stopping: boolean;
  everReady: boolean;
  deaths: number;
  exited: Promise<void>;
  /** Set when it died too often before it was ever ready. */
  failure: Problem | undefined;
}

const probeEveryMs = 100;
const longestLogBytes = 20 << 20;

export function createSupervisor(home: string, say: (line: string) => void): Supervisor {
  const logs = join(home, 'logs');
  const processes = new Map<string, Supervised>();
  const run: RunFile = {};
  let closed = false;

  const logFile = (name: string) => join(logs, `${name}.log`);

  /** Runs the process, and again whenever it dies, until it is told to stop or has failed to start. */
  async function keepAlive(entry: Supervised): Promise<void> {
    const { spec } = entry;
    const backOff = createBackOff();
    for (;;) {
      const startedAt = Date.now();
      const cause = await runOnce(entry);
      if (entry.stopping) return;
      entry.deaths += 1;
      if (!entry.everReady && entry.deaths >= spec.startAttempts) {
        entry.failure = failedStart(spec, cause);
        return;
      }
      const delay = backOff.next(Date.now() - startedAt);
      const where = spec.inTerminal ? '' : `, its log is ${logFile(spec.name)}`;
      say(`${spec.name} died (${cause}); starting it again in ${delay} ms${where}`);
      await sleep(delay);
      if (entry.stopping) return;
    }
  }

  /** Resolves to what ended the process. */
  async function runOnce(entry: Supervised): Promise<string> {
    const child = spawnDetached(entry.spec, logFile(entry.spec.name));
    entry.child = child;
    const exited = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
    });
    await remember(entry);
    const cause = await exited;
    entry.child = undefined;
    return cause;
  }

  /** Writes down who runs, so that the next start recognises it should this one be killed. */
  async function remember(entry: Supervised): Promise<void> {
    const pid = entry.child?.pid;
    const identity = pid === undefined ? undefined : await identify(pid);
    if (identity === undefined) return;
    const own = await identify(process.pid);
    if (own !== undefined) run[supervisorName] = { ...own, restarts: 0 };
    run[entry.spec.name] = { ...identity, restarts: entry.deaths };
    writeRunFile(home, run);
  }

  function failedStart({ name, inTerminal }: ProcessSpec, cause: string): Problem {
    if (inTerminal) return new Problem(`${name} could not start (${cause}); what it printed says why.`);
    return new Problem(
      `${name} could not start (${cause}); the end of ${logFile(name)} says why:`,
      lastLines(logFile(name)),
    );
  }

  return {
    logFile,

    async start(spec) {
      if (closed) return;
      mkdirSync(logs, { recursive: true });
      rotate(logFile(spec.name));
      const entry: Supervised = {
        spec,
        child: undefined,
        stopping: false,
        everReady: false,
        deaths: 0,
        exited: Promise.resolve(),
        failure: undefined,
      };
      processes.set(spec.name, entry);
      entry.exited = keepAlive(entry);

      const deadline = Date.now() + spec.readyWithinMs;
      while (!(await spec.isReady())) {
        if (entry.failure !== undefined) throw entry.failure;
        if (entry.stopping) return;
        if (Date.now() > deadline) throw failedStart(spec, `not ready after ${spec.readyWithinMs / 1000} s`);
        await sleep(probeEveryMs);
      }
      entry.everReady = true;
    },

    async stop(name) {
      const entry = processes.get(name);
      if (entry === undefined) return;
      entry.stopping = true;
      await endChild(entry);
      processes.delete(name);
      delete run[name];
      writeRunFile(home, run);
    },

    refuseStarts() {
      closed = true;
    },

    forget() {
      removeRunFile(home);
    },
  };
}

/**
 * A child is the head of a session of its own, so that Ctrl-C reaches only the supervisor, which stops
 * everything in order. Should the supervisor itself be killed, the kernel ends the child, or else the next start
 * does, which finds it in run.json.
 */
function spawnDetached(spec: ProcessSpec, logFile: string): ChildProcess {
  const log = spec.inTerminal ? 'inherit' : openSync(logFile, 'a');
  const [command, args] = tiedToUs(spec.command, spec.args);
  const child = spawn(command, args, {
    detached: true,
    stdio: ['ignore', log, log],
    env: spec.env,
    ...(spec.cwd === undefined ? {} : { cwd: spec.cwd }),
  });
  if (log !== 'inherit') closeSync(log);
  return child;
}

async function endChild(entry: Supervised): Promise<void> {
  const { child, spec } = entry;
  if (child === undefined) return;
  child.kill('SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), spec.stopWithinMs);
  await entry.exited;
  clearTimeout(killer);
}

function rotate(path: string): void {
  if (existsSync(path) && statSync(path).size > longestLogBytes) renameSync(path, `${path}.1`);
}

/** The end of a log, for people: at most 25 lines. */
export function lastLines(path: string, lines = 25): string {
  try {
    return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return '(the log is empty)';
  }
}
