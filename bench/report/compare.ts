import type { Figure, RunResult } from './result.ts';

export type Change = {
  scenario: string;
  step: string;
  figure: string;
  unit: string;
  old: number;
  new: number;
  /** new / old − 1; undefined if old is 0. */
  share: number | undefined;
  verdict: 'better' | 'worse' | 'same';
};

/** Two runs on the same machine differ by this share without any change. */
const noise = 0.15;

/** Compares all figures that both runs have, in the order of the new run. */
export function compareRuns(old: RunResult, fresh: RunResult): Change[] {
  const before = new Map(allFigures(old).map((entry) => [keyOf(entry), entry.figure]));
  return allFigures(fresh).flatMap((entry) => {
    const known = before.get(keyOf(entry));
    return known ? [change(entry, known)] : [];
  });
}

type Entry = { scenario: string; step: string; figure: Figure };

function change({ scenario, step, figure }: Entry, old: Figure): Change {
  const share = old.value === 0 ? undefined : figure.value / old.value - 1;
  return {
    scenario,
    step,
    figure: figure.name,
    unit: figure.unit,
    old: old.value,
    new: figure.value,
    share,
    verdict: verdictOf(figure, old),
  };
}

function verdictOf(figure: Figure, old: Figure): Change['verdict'] {
  if (figure.better === 'neither') return 'same';
  const difference = figure.value - old.value;
  if (Math.abs(difference) <= Math.abs(old.value) * noise) return 'same';
  return difference > 0 === (figure.better === 'higher') ? 'better' : 'worse';
}

function allFigures(run: RunResult): Entry[] {
  return run.scenarios.flatMap(({ name, steps }) =>
    steps.flatMap(({ label, figures }) => figures.map((figure) => ({ scenario: name, step: label, figure }))),
  );
}

const keyOf = ({ scenario, step, figure }: Entry): string => JSON.stringify([scenario, step, figure.name]);
