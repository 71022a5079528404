import { Problem } from '../problem.ts';
import type { Step } from './steps.ts';

export interface Selected {
  step: Step;
  files: string[];
}

/**
 * What the arguments of `npm test` ask for: all steps but those on demand, those that are named, or single test files with the
 * step that they belong to.
 */
export function select(steps: readonly Step[], asked: readonly string[]): Selected[] {
  if (asked.length === 0)
    return steps.filter((step) => !step.onDemand).map((step) => ({ step, files: step.files }));
  for (const word of asked) {
    if (steps.some((step) => step.name === word || step.files.includes(word))) continue;
    const names = steps.map((step) => step.name).join(', ');
    throw new Problem(`"${word}" is neither a test file nor one of the steps ${names}.`);
  }
  return steps.flatMap((step) => {
    if (asked.includes(step.name)) return [{ step, files: step.files }];
    const files = step.files.filter((file) => asked.includes(file));
    return files.length === 0 ? [] : [{ step, files }];
  });
}
