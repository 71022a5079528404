// Room: what a scenario works with: the system, its load, its fixtures and its options. No scenario is known here.

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
  /** How much the services' counters whose `service name{labels` begins so have grown. */
  grown(prefix: string): number;
};

/** What a scenario works with. */
export type Laboratory = {
  options: Options;
  system: System;
  rest: RestCaller;
  accounts: Accounts;
  conversations: Conversations;
  /** Undefined where the database is not reachable from here. */
  seeds: Seeds | undefined;
  /** Load processes of the scenario's own, ended after it. */
  withLoad<T>(count: number, work: (load: LoadProcesses) => Promise<T>): Promise<T>;
  /** Does something while CPU, memory and the services' own metrics are watched. */
  measure<T>(work: () => Promise<T>): Promise<Measured<T>>;
  say(text: string): void;
  /** The base URL for the nth socket or caller: they are spread over the gateways. */
  gatewayOf(index: number): string;
  close(): Promise<void>;
};

/** What a scenario reports as it goes. */
export type Report = {
  step(step: Step): void;
  /** Something that must not happen. It fails the run. */
  fault(sentence: string): void;
};

export type Scenario = {
  name: string;
  title: string;
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

/** Runs a scenario. One that breaks down is a fault of the run, and the others still follow. */
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
    fault(`it broke down: ${(error as Error).message}`);
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
