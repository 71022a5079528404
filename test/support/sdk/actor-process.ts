import { createInterface } from 'node:readline';
import { fileStorage } from '@gochat/sdk/file';
import { createActor, type Order, type Report, type Setting } from './actor.ts';

/**
 * A client as a process of its own, which a test can kill: `node actor-process.ts SETTING FILE`. It stores in the file,
 * reads an order and writes a report per line.
 */
const [, , setting = '{}', file = ''] = process.argv;
const report = (what: Report) => process.stdout.write(`${JSON.stringify(what)}\n`);
const { client, obey } = createActor(JSON.parse(setting) as Setting, fileStorage(file), report);

for await (const line of createInterface({ input: process.stdin })) await obey(JSON.parse(line) as Order);
await client.disconnect();
