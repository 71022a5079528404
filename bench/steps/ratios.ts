import type { Figure } from '../report/result.ts';
import { figure } from './steps.ts';

/** What must not grow: a latency's middle and its tail, and what a message or a call costs. */
const compared = /^((ack|answer|request) (p50|p99)|CPU a (message|call))$/;

/** How many times the later figures are the earlier ones. */
export const ratiosOf = (earlier: readonly Figure[], later: readonly Figure[]): Figure[] =>
  later
    .filter(({ name }) => compared.test(name))
    .flatMap(({ name, value }) => {
      const before = earlier.find((one) => one.name === name);
      return before && before.value > 0 ? [figure(name, value / before.value, '×', 'lower')] : [];
    });
