import { connectDatabases } from './database.ts';

/** One connection of its own to a database, whose counters tell how many rows the server read for its statements. */
export function countRowsRead(url: string) {
  const databases = connectDatabases(url, { connectionLimit: 1 });

  async function rowsRead(): Promise<number> {
    // Rows that the engine itself turns down (icp) are no reads to MariaDB's server.
    const counters = await databases.users.query<{ Value: string }>(
      "SHOW SESSION STATUS WHERE Variable_name LIKE 'Handler_read%' OR Variable_name = 'Handler_icp_attempts'",
    );
    return counters.reduce((sum, { Value }) => sum + Number(Value), 0);
  }

  return {
    databases,
    /** How many rows the server read for it. */
    async rowsReadBy(work: () => Promise<unknown>): Promise<number> {
      // Asking is counted, too.
      const [before, asked] = [await rowsRead(), await rowsRead()];
      await work();
      return (await rowsRead()) - asked - (asked - before);
    },
  };
}
