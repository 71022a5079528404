/** A program that writes the bundle of all workflows to stdout. workflow-bundle.ts runs it. */
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

const inWorkflows = (path: string): string =>
  fileURLToPath(new URL(`../../../workflows/${path}`, import.meta.url));
const { code } = await bundleWorkflowCode({
  workflowsPath: inWorkflows('index.ts'),
  payloadConverterPath: inWorkflows('input/payload-converter.ts'),
  logger: new DefaultLogger('WARN'),
});
process.stdout.write(code);
