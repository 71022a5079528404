import { basename } from 'node:path';
import { Problem } from '../process/problem.ts';
import type { Step } from './steps.ts';

export interface Selected {
  step: Step;
  files: string[];
}

/**
 * What the arguments of `npm test` ask for: all steps but those on demand, those that are named, or single test files
 * with the step that they belong to. A file goes by its path or by its bare name; beside the name of its step, it is
 * all that runs of it.
 */
export function select(steps: readonly Step[], asked: readonly string[]): Selected[] {
  if (asked.length === 0)
    return steps.filter((step) => !step.onDemand).map((step) => ({ step, files: step.files }));
  for (const word of asked) {
    if (steps.some((step) => step.name === word || step.files.some((file) => isNamed(file, word)))) continue;
    const names = steps.map((step) => step.name).join(', ');
    throw new Problem(`"${word}" is neither a test file nor one of the steps ${names}.`);
  }
  const chosen = steps.map((step) => ({
    step,
    isAsked: asked.includes(step.name),
    files: step.files.filter((file) => asked.some((word) => isNamed(file, word))),
  }));
  // A bare name that a step's name stands beside means the file of that step.
  const ofAsked = new Set(
    chosen.filter(({ isAsked }) => isAsked).flatMap(({ files }) => files.map(bareName)),
  );
  return chosen.flatMap(({ step, isAsked, files }) => {
    if (isAsked) return [{ step, files: files.length === 0 ? step.files : files }];
    const others = files.filter((file) => asked.includes(file) || !ofAsked.has(bareName(file)));
    return others.length === 0 ? [] : [{ step, files: others }];
  });
}

const isNamed = (file: string, word: string): boolean => file === word || bareName(file) === word;

/** `storm` of `test/fault/storm.test.ts`. */
const bareName = (file: string): string => basename(file, '.test.ts');
