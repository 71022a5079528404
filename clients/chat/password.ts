import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';

/** Asks for a line that is not shown. */
export function askHidden(question: string): Promise<string> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  process.stdout.write(question);
  const lines = createInterface({
    input: process.stdin,
    output: silent,
    terminal: process.stdin.isTTY === true,
  });
  return new Promise((resolve) => {
    lines.question('', (line) => {
      lines.close();
      process.stdout.write('\n');
      resolve(line);
    });
  });
}
