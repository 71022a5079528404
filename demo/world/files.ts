import type { Random } from '../../bench/measure/random.ts';
import { paintLandscape } from './pictures.ts';

/** A file in a message: a picture by the seed that it is painted from, or a text. */
export type PlannedFile = { name: string } & ({ picture: number } | { text: string });

const views = ['sunrise', 'ridge', 'valley', 'evening', 'walk', 'clouds'];
const threadsPerFile = 12;
/** Short talks have a file, too, if they are of six threads at least. */
const firstThread = 5;

/** The file that ends a thread, if any: mostly a picture, sometimes what was said as notes. */
export function fileAfter(thread: number, said: readonly string[], random: Random): PlannedFile | undefined {
  if (thread % threadsPerFile !== firstThread) return undefined;
  const number = Math.floor(thread / threadsPerFile);
  if (number % 3 === 1) return { name: `notes-${number}.txt`, text: `${said.join('\n')}\n` };
  return { name: `${random.pick(views)}-${number}.png`, picture: random.between(1, 1_000_000) };
}

export const bytesOf = (file: PlannedFile): Buffer =>
  'picture' in file ? paintLandscape(file.picture) : Buffer.from(file.text);
