import type { Figure } from '../report/result.ts';
import { figure } from './steps.ts';

/** The figures that must not grow: median and p99 of latencies, and the CPU time per message or call. */
const compared = /^((ack|answer|request) (p50|p99)|CPU per (message|call))$/;

/** The ratios of the later figures to the earlier ones. */
export const ratiosOf = (earlier: readonly Figure[], later: readonly Figure[]): Figure[] =>
  later
    .filter(({ name }) => compared.test(name))
    .flatMap(({ name, value }) => {
      const before = earlier.find((one) => one.name === name);
      return before && before.value > 0 ? [figure(name, value / before.value, '×', 'lower')] : [];
    });
