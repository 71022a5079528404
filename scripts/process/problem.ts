/**
 * An error that the user has to fix before GoChat can continue. The message is one sentence that says what to do;
 * `details` (for example the end of a log) are printed below it. Every other error is a bug in GoChat.
 */
export class Problem extends Error {
  readonly details: string;

  constructor(message: string, details = '') {
    super(message);
    this.name = 'Problem';
    this.details = details;
  }
}

/** Prints the error that stopped a command and sets exit code 1; the process exits when its event loop is empty. */
export function report(error: unknown): void {
  process.exitCode = 1;
  if (!(error instanceof Problem)) {
    console.error(error);
    return;
  }
  console.error(`\n${error.message}`);
  if (error.details !== '') console.error(`\n${error.details.trimEnd()}`);
}
