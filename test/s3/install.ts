import { join } from 'node:path';
import { Problem } from '../../scripts/process/problem.ts';
import { findProgram, runLogged } from '../../scripts/process/program.ts';
import { cached } from '../../scripts/stack/downloads.ts';

const version = 'v1.8.0';

/**
 * The program of Versity's S3 gateway, which keeps its buckets in a folder. Go builds it, which takes some minutes; then it
 * is kept for every checkout of this user. Throws a Problem where it cannot be had.
 */
export async function installS3Server(log: string): Promise<string> {
  const folder = await cached(`versitygw-${version}`, async (draft) => {
    const go = findProgram('go');
    if (go === undefined) throw new Problem('The S3 server is built by Go: install Go 1.24 or newer.');
    const args = ['install', `github.com/versity/versitygw/cmd/versitygw@${version}`];
    const env = { ...process.env, GOBIN: draft, CGO_ENABLED: '0' };
    if ((await runLogged(go, args, { log, env })) === 0) return;
    throw new Problem(`The S3 server cannot be built here (see ${log}).`);
  });
  return join(folder, 'versitygw');
}
