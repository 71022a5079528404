import { GoChatError } from '../../../lib/errors.ts';
import type { SequenceServiceService } from '../../../lib/gen/im_repo/v1/sequence.ts';
import type { UnaryHandlers } from '../../../lib/grpc/definition.ts';
import { type Databases, formatSql } from './database.ts';

const maxNumbers = 10_000;
const maxNameBytes = 128;

/** Named sequences. Numbers taken are never given again, used or not. */
export function createSequenceHandlers(deps: {
  databases: Databases;
}): UnaryHandlers<typeof SequenceServiceService> {
  return {
    async getNextSeq({ name, count }) {
      const bytes = Buffer.from(name);
      if (bytes.length < 1 || bytes.length > maxNameBytes) {
        throw new GoChatError('INVALID_ARGUMENT', `A sequence's name has 1 to ${maxNameBytes} bytes.`);
      }
      if (count < 0 || count > maxNumbers) {
        throw new GoChatError('INVALID_ARGUMENT', `At most ${maxNumbers} numbers can be taken at once.`);
      }
      const taken = count === 0 ? 1 : count;
      // The row stays locked between the two statements.
      const [, rows] = await deps.databases.users.transaction((tx) =>
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
      if (!row) throw new Error('a sequence vanished within its transaction');
      return { first: row.value - taken + 1, last: row.value };
    },
  };
}
