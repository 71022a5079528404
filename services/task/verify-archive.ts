import { connectRepo } from '../../lib/grpc/clients.ts';
import { readGrpcToken } from '../../lib/grpc/token.ts';

/** For a call that reads some objects of the store. */
const deadline = { deadlineMs: 120_000 };

/**
 * Compares all objects of the cold store with the database, through im-repo at REPO_ADDRESS. Prints a line per fault; resolves to
 * true if there is none.
 */
async function verifyArchive(address: string, tokenFile: string): Promise<boolean> {
  const repo = connectRepo(address, readGrpcToken(tokenFile));
  let [objects, messages, faults, afterObjectId] = [0, 0, 0, ''];
  try {
    do {
      const part = await repo.archive.verifyArchive({ afterObjectId }, deadline);
      objects += part.objects;
      messages += part.messages;
      faults += part.faults.length;
      for (const fault of part.faults) console.log(fault);
      afterObjectId = part.nextAfterObjectId;
    } while (afterObjectId !== '');
  } finally {
    repo.close();
  }
  console.log(
    `${objects} objects with ${messages} messages were compared: ${faults === 0 ? 'no' : faults} faults.`,
  );
  return faults === 0;
}

if (import.meta.main) {
  const { REPO_ADDRESS = '127.0.0.1:9001', GRPC_TOKEN_FILE = '' } = process.env;
  try {
    process.exitCode = (await verifyArchive(REPO_ADDRESS, GRPC_TOKEN_FILE)) ? 0 : 1;
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
