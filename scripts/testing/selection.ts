import { basename } from 'node:path';
import { Problem } from '../process/problem.ts';
import type { Step } from './steps.ts';
import { titlePatternAt } from './test-at-line.ts';

export interface Selected {
  step: Step;
  files: string[];
  /** A pattern for the titles of the tests to run; undefined for all tests. */
  only?: string;
}

/**
 * Selects steps and files by the arguments of `npm test`. Without names: all steps except those on demand. A step's
 * name selects the step. A file's path, folder or bare name selects the file in its step; together with the step's
 * name, only the named files of the step run. `FILE:LINE` selects the test at that line.
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
  // A bare name together with a step's name means the file of that step.
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

/** True if `path` is the file's path, or that of a folder that contains it. */
const isAt = (file: string, path: string): boolean =>
  file === path || file.startsWith(`${path.replace(/\/$/, '')}/`);

/** The bare name of `test/fault/storm.test.ts` is `storm`. */
const bareName = (file: string): string => basename(file, '.test.ts');
