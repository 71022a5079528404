import type { TestTemporal } from '../support/flows/flows.ts';

export type Branch = {
  name: string;
  /** Some need the clock that jumps; the others are recorded on the real server. */
  clock?: 'jumping';
  workflowId: string;
  play(temporal: TestTemporal): Promise<void>;
};
