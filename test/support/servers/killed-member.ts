import { spawn } from 'node:child_process';
import { once } from 'node:events';

const file = (path: string) => JSON.stringify(import.meta.resolve(path));

/**
 * Starts a process that joins a consumer group, and kills it when it has partitions: the broker keeps it as a member.
 */
export async function killMember(member: {
  brokers: string;
  clientId: string;
  groupId: string;
  topic: string;
}): Promise<void> {
  const script = `
    const { connectKafka } = await import(${file('../../../lib/kafka/kafka.ts')});
    const { createLogger } = await import(${file('../../../lib/log.ts')});
    const { brokers, clientId, groupId, topic } = ${JSON.stringify(member)};
    const kafka = connectKafka({ brokers, clientId, log: createLogger('member', 'silent') });
    const consumer = kafka.consumer({ groupId });
    consumer.on(consumer.events.GROUP_JOIN, () => console.log('joined'));
    await consumer.connect();
    await consumer.subscribe({ topic });
    await consumer.run({ eachBatch: async () => undefined });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  await Promise.race([
    once(child.stdout, 'data'),
    exited.then(() => Promise.reject(new Error('the member did not join'))),
  ]);
  child.kill('SIGKILL');
  await exited;
}
