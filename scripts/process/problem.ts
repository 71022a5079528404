/**
 * Something the user has to mend before GoChat can go on. Its message is one sentence that says what to
 * do; `details` (the end of a log, say) is printed below it. Anything else that is thrown is our own fault.
 */
export class Problem extends Error {
  readonly details: string;

  constructor(message: string, details = '') {
    super(message);
    this.name = 'Problem';
    this.details = details;
  }
}

/** Prints what stopped a command and leaves with exit code 1 once the event loop is empty. */
export function report(error: unknown): void {
  process.exitCode = 1;
  if (!(error instanceof Problem)) {
    console.error(error);
    return;
  }
  console.error(`\n${error.message}`);
  if (error.details !== '') console.error(`\n${error.details.trimEnd()}`);
}
