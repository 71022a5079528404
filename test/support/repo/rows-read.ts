import { connectDatabases } from './database.ts';

/** A separate connection to a database, whose counters show how many rows the server has read for its statements. */
export function countRowsRead(url: string) {
  const databases = connectDatabases(url, { connectionLimit: 1 });

  async function rowsRead(): Promise<number> {
    // MariaDB does not count rows that the storage engine filters by index condition pushdown (icp) as reads.
    const counters = await databases.users.query<{ Value: string }>(
      "SHOW SESSION STATUS WHERE Variable_name LIKE 'Handler_read%' OR Variable_name = 'Handler_icp_attempts'",
    );
    return counters.reduce((sum, { Value }) => sum + Number(Value), 0);
  }

  return {
    databases,
    /** The number of rows that the server reads for `work`. */
    async rowsReadBy(work: () => Promise<unknown>): Promise<number> {
      // The query of the counters is counted too, so its own reads are subtracted.
      const [before, asked] = [await rowsRead(), await rowsRead()];
      await work();
      return (await rowsRead()) - asked - (asked - before);
    },
  };
}
