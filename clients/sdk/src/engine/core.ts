import type { Input, Outcome, State } from '../model/input.ts';
import type { Api } from '../transport/api.ts';
import type { GoChatError } from '../transport/errors.ts';

/** What the parts of the engine share. */
export interface Core {
  readonly state: State;
  readonly api: Api;
  /** Applies an input to the model, stores and tells what changed. */
  apply(input: Input): Outcome;
  /** Tells the application of an error that no promise tells. */
  report(error: GoChatError): void;
  random(): number;
}
