// Room: the environment of a scenario: the system, the load, the fixtures and the options. No code of a single
// scenario may come in.

import { type Accounts, createAccounts } from '../fixtures/accounts.ts';
import { createCache } from '../fixtures/cache.ts';
import { type Conversations, createConversations } from '../fixtures/conversations.ts';
import { createSeeds, type Seeds } from '../fixtures/seeds.ts';
import { type LoadProcesses, startLoadProcesses } from '../load/processes.ts';
import { createRestCaller, type RestCaller } from '../load/rest-calls.ts';
import type { ScenarioResult, Step } from '../report/result.ts';
import { printStep } from '../report/table.ts';
import { grown, type Scrape, type Stage, scrape, stagesBetween } from '../system/stages.ts';
import type { System } from '../system/system.ts';
import { type ProcessUsage, watchUsage } from '../system/usage.ts';
import type { Options } from './options.ts';

export type Measured<T> = {
  value: T;
  seconds: number;
  usage: ProcessUsage[];
  stages: Stage[];
  /** The sum of the increases of all counters whose `service name{labels` starts with `prefix`. */
  grown(prefix: string): number;
};

/** The environment of a scenario. */
export type Laboratory = {
  options: Options;
  system: System;
  rest: RestCaller;
  accounts: Accounts;
  conversations: Conversations;
  /** Undefined if the database is not reachable from this process. */
  seeds: Seeds | undefined;
  /** Starts load processes for `work`, and ends them after it. */
  withLoad<T>(count: number, work: (load: LoadProcesses) => Promise<T>): Promise<T>;
  /** Runs `work` and measures CPU, memory and the services' own metrics meanwhile. */
  measure<T>(work: () => Promise<T>): Promise<Measured<T>>;
  say(text: string): void;
  /** The base URL for the nth socket or caller, which are distributed over the gateways. */
  gatewayOf(index: number): string;
  close(): Promise<void>;
};

/** The report of a scenario, written while it runs. */
export type Report = {
  step(step: Step): void;
  /** Reports an error of the system. It fails the run. */
  fault(sentence: string): void;
};

export type Scenario = {
  name: string;
  title: string;
  /** True: measures the system after its start, without any load before. */
  unheated?: boolean;
  run(laboratory: Laboratory, report: Report): Promise<void>;
};

export async function createLaboratory(system: System, options: Options): Promise<Laboratory> {
  const say = (text: string) => console.log(`  ${text}`);
  const gatewayOf = (index: number) => system.gateways[index % system.gateways.length] ?? '';
  const rest = createRestCaller(gatewayOf(0));
  const accounts = await createAccounts(rest, createCache(system), say);
  const seeds = system.databaseUrl === undefined ? undefined : createSeeds(system.databaseUrl, say);
  let load: LoadProcesses | undefined;

  return {
    options,
    system,
    rest,
    accounts,
    conversations: createConversations(rest, accounts, say),
    seeds,
    say,
    gatewayOf,
    async close() {
      rest.close();
      await seeds?.close();
    },
    async withLoad(count, work) {
      const started = startLoadProcesses(count);
      load = started;
      try {
        return await work(started);
      } finally {
        load = undefined;
        await started.end();
      }
    },
    async measure(work) {
      const before: Scrape = await scrape(system);
      const loaders = (load?.all ?? []).map(({ pid }, index) => [`load-${index + 1}`, pid]);
      const watch = watchUsage(system.home, { ...Object.fromEntries(loaders), coordinator: process.pid });
      const startedAt = performance.now();
      let usage: ProcessUsage[] = [];
      let seconds = 0;
      let value: Awaited<ReturnType<typeof work>>;
      try {
        value = await work();
      } finally {
        seconds = (performance.now() - startedAt) / 1000;
        usage = watch.stop();
      }
      const after = await scrape(system);
      return {
        value,
        seconds,
        usage,
        stages: stagesBetween(before, after),
        grown: (prefix) => grown(before, after, prefix),
      };
    },
  };
}

/** Runs a scenario. If it throws, the run has a fault, and the next scenarios still run. */
export async function runScenario(scenario: Scenario, laboratory: Laboratory): Promise<ScenarioResult> {
  const steps: Step[] = [];
  const faults: string[] = [];
  const startedAt = performance.now();
  console.log(`\n── ${scenario.title} (${scenario.name})`);
  const fault = (sentence: string) => {
    faults.push(sentence);
    console.log(`  FAULT ${sentence}`);
  };
  try {
    await scenario.run(laboratory, {
      step(step) {
        steps.push(step);
        printStep(step);
      },
      fault,
    });
  } catch (error) {
    fault(`the scenario failed: ${(error as Error).message}`);
    if (process.env.DEBUG) console.error(error);
  }
  return {
    name: scenario.name,
    title: scenario.title,
    seconds: (performance.now() - startedAt) / 1000,
    steps,
    faults,
  };
}
