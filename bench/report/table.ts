import { machineName, type ProcessUsage } from '../system/usage.ts';
import type { Change } from './compare.ts';
import type { RunResult, Step } from './result.ts';

/** Prints a step right after its measurement. */
export function printStep(step: Step): void {
  console.log(`  ${step.label}`);
  const shown = step.figures.map(({ name, value, unit }) => `${name} ${withUnit(value, unit)}`);
  for (const line of wrapped(shown, 104)) console.log(`    ${line}`);
  const busy = step.usage.filter(({ cores }) => cores >= 0.01).sort((a, b) => b.cores - a.cores);
  if (busy.length > 0) {
    for (const line of wrapped(busy.map(showUsage), 98)) console.log(`    cores ${line}`);
  }
  for (const note of step.notes) console.log(`    NOTE ${note}`);
}

/** Prints the main figures of every step, and the faults. */
export function printSummary(run: RunResult): void {
  console.log('\n── Summary');
  const rows = run.scenarios.flatMap(({ name, steps }) =>
    steps
      .filter(({ label }) => !label.startsWith('probe '))
      .map(({ label, figures }) => {
        const rates = figures.filter(({ unit }) => unit === '/s').slice(0, 2);
        const latencies = figures.filter(({ name: figure }) => / (p50|p99)$/.test(figure)).slice(0, 4);
        const others = rates.length + latencies.length > 0 ? [] : figures.slice(0, 3);
        const text = [...rates, ...latencies, ...others].map(
          (one) => `${one.name} ${withUnit(one.value, one.unit)}`,
        );
        return [name, label, text.join(', ')];
      }),
  );
  printTable(['scenario', 'step', 'figures'], rows);
  const faults = run.scenarios.flatMap(({ name, faults: sentences }) =>
    sentences.map((text) => `${name}: ${text}`),
  );
  for (const fault of faults) console.log(`FAULT ${fault}`);
  console.log(
    faults.length === 0 ? 'Nothing was lost, repeated or out of order.' : `${faults.length} faults.`,
  );
}

export function printChanges(changes: readonly Change[]): void {
  console.log('\n── Compared with the earlier run (within 15 % counts as the same)');
  const rows = changes
    .filter(({ verdict }) => verdict !== 'same')
    .map(({ scenario, step, figure, unit, old, new: fresh, share, verdict }) => [
      verdict,
      scenario,
      step,
      figure,
      withUnit(old, unit),
      withUnit(fresh, unit),
      share === undefined ? '' : `${share > 0 ? '+' : ''}${Math.round(share * 100)} %`,
    ]);
  if (rows.length === 0) console.log(`All ${changes.length} figures are the same.`);
  else printTable(['', 'scenario', 'step', 'figure', 'old', 'new', 'change'], rows);
}

export function withUnit(value: number, unit: string): string {
  const text = value.toLocaleString('en-GB', {
    maximumFractionDigits: value >= 100 ? 0 : value >= 1 ? 2 : 3,
  });
  return unit === '' ? text : unit.startsWith('/') ? `${text}${unit}` : `${text} ${unit}`;
}

function showUsage({ name, cores, peakRss }: ProcessUsage): string {
  const memory = name === machineName ? '' : ` (${Math.round(peakRss / 2 ** 20)} MiB)`;
  return `${name} ${cores.toFixed(2)}${memory}`;
}

function printTable(head: string[], rows: string[][]): void {
  const widths = head.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const line = (cells: string[]) =>
    cells
      .map((cell, column) => (column === cells.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join('  ');
  for (const row of [head, ...rows]) console.log(line(row));
}

function wrapped(parts: string[], width: number): string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const last = lines.at(-1);
    if (last === undefined || last.length + part.length + 3 > width) lines.push(part);
    else lines[lines.length - 1] = `${last} · ${part}`;
  }
  return lines;
}
