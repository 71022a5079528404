import { basename } from 'node:path';
import { Problem } from '../process/problem.ts';
import type { Step } from './steps.ts';
import { titlePatternAt } from './test-at-line.ts';

export interface Selected {
  step: Step;
  files: string[];
  /** A pattern for the titles of the tests that are asked for, where it is not all of them. */
  only?: string;
}

/**
 * What the arguments of `npm test` ask for: all steps but those on demand, those that are named, or single test files
 * with the step that they belong to. A file goes by its path, its folder or its bare name; beside the name of its step, it
 * is all that runs of it. `FILE:LINE` is the one test of a file that the line belongs to.
 */
export function select(steps: readonly Step[], asked: readonly string[]): Selected[] {
  const [word = '', line] = splitLine(asked[0] ?? '');
  if (asked.length === 1 && line !== undefined) return oneTest(steps, word, line);
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
    const others = files.filter(
      (file) => asked.some((word) => isAt(file, word)) || !ofAsked.has(bareName(file)),
    );
    return others.length === 0 ? [] : [{ step, files: others }];
  });
}

function oneTest(steps: readonly Step[], file: string, line: number): Selected[] {
  const [selected] = select(steps, [file]);
  const only = titlePatternAt(selected?.files[0] ?? file, line);
  if (selected === undefined || only === undefined) throw new Problem(`${file} has no test at line ${line}.`);
  return [{ ...selected, only }];
}

function splitLine(word: string): [string, number?] {
  const [, file, line] = /^(.+):(\d+)$/.exec(word) ?? [];
  return file === undefined ? [word] : [file, Number(line)];
}

const isNamed = (file: string, word: string): boolean => isAt(file, word) || bareName(file) === word;

/** By its path, or that of a folder that it is in. */
const isAt = (file: string, path: string): boolean =>
  file === path || file.startsWith(`${path.replace(/\/$/, '')}/`);

/** `storm` of `test/fault/storm.test.ts`. */
const bareName = (file: string): string => basename(file, '.test.ts');
