/** A program that writes the bundle of all workflows to stdout. workflow-bundle.ts runs it. */
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

/** The paths are written out, since whoever watches sources looks for them in the text. */
const pathOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const { code } = await bundleWorkflowCode({
  workflowsPath: pathOf('../../../workflows/index.ts'),
  payloadConverterPath: pathOf('../../../workflows/input/payload-converter.ts'),
  logger: new DefaultLogger('WARN'),
});
process.stdout.write(code);
