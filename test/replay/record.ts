/**
 * Records the history of every branch of every flow: `node test/replay/record.ts [NAME …]`. Needs
 * TEMPORAL_CLI_PATH and TEMPORAL_TEST_SERVER_PATH. An existing history is kept unless it is named:
 * it stands for the flows that run somewhere with the code of its day.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { createRealTimeTestTemporal, createTestTemporal } from '../support/flows/flows.ts';
import { branches } from './branches.ts';

const folder = join(import.meta.dirname, 'histories');
const named = process.argv.slice(2);
const fileOf = (name: string) => join(folder, `${name}.json`);
const wanted = branches.filter(({ name }) => named.includes(name) || !existsSync(fileOf(name)));

mkdirSync(folder, { recursive: true });
for (const clock of ['real', 'jumping'] as const) {
  const batch = wanted.filter((branch) => (branch.clock ?? 'real') === clock);
  if (batch.length === 0) continue;
  const temporal = await (clock === 'real' ? createRealTimeTestTemporal() : createTestTemporal());
  for (const { name, workflowId, play } of batch) {
    await play(temporal);
    const history = await temporal.client.workflow.getHandle(workflowId).fetchHistory();
    writeFileSync(fileOf(name), `${historyToJSON(history)}\n`);
    console.log(`${name}: ${history.events?.length} events`);
  }
  await temporal.close();
}
process.exit(0);
