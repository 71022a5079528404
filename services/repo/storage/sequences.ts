import { GoChatError } from '../../../lib/errors.ts';
import type { SequenceServiceService } from '../../../lib/gen/im_repo/v1/sequence.ts';
import type { UnaryHandlers } from '../../../lib/grpc/definition.ts';
import { formatSql } from './database.ts';
import type { Databases } from './databases.ts';

const maxNumbers = 10_000;
const maxNameBytes = 128;

/** Serves named sequences. A number is given out only once, even if its taker never uses it. */
export function createSequenceHandlers(deps: {
  databases: Databases;
}): UnaryHandlers<typeof SequenceServiceService> {
  return {
    async getNextSeq({ name, count }) {
      const bytes = Buffer.from(name);
      if (bytes.length < 1 || bytes.length > maxNameBytes) {
        throw new GoChatError(
          'INVALID_ARGUMENT',
          `The name of a sequence must have 1 to ${maxNameBytes} bytes.`,
        );
      }
      if (count < 0 || count > maxNumbers) {
        throw new GoChatError('INVALID_ARGUMENT', `A call can take at most ${maxNumbers} numbers.`);
      }
      const taken = count === 0 ? 1 : count;
      // The row stays locked between the two statements, so the value read is the one just written.
      const [, rows] = await deps.databases.directory.transaction((tx) =>
        tx.batchAndCommit(
          [
            formatSql(
              'INSERT INTO sequences (name, value) VALUES (?, ?) ON DUPLICATE KEY UPDATE value = value + ?',
              [bytes, taken, taken],
            ),
            formatSql('SELECT value FROM sequences WHERE name = ?', [bytes]),
          ].join(';\n'),
        ),
      );
      const [row] = rows as { value: number }[];
      if (!row) throw new Error('the sequence row disappeared within its transaction');
      return { first: row.value - taken + 1, last: row.value };
    },
  };
}
