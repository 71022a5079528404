// Room: one run per large conversation, which keeps its streaming activity running. No message content and no code of
// another flow may come in.

import { condition, continueAsNew, setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import { parseInput } from '../input/check.ts';
import { fanoutMessages as contract, type FanoutArgs, fanoutInput } from './contract.ts';
import * as steps from './steps.ts';

/** The run closes after this long without a message; the next message starts another run. */
const idleTimeout = '1h';

/**
 * Keeps exactly one streaming activity running for a large conversation while it has messages. The activity delivers
 * the messages. The run closes one hour after the last message.
 */
export async function fanoutMessages(input: FanoutArgs): Promise<void> {
  const { conversationId } = parseInput(fanoutInput, input);
  let woken = true;
  let current = '';
  let ignored = 0;
  setHandler(contract.wake, (...given: unknown[]) => {
    if (given.length === 0) {
      woken = true;
      return;
    }
    ignored += 1;
    showDetails();
  });

  /** Shows the current work, and the number of wrong signals, in the run's details. */
  function showDetails(details = current): void {
    current = details;
    const note = ignored === 0 ? '' : ` Signals ignored: ${ignored}. The input is wrong: wake takes none.`;
    setCurrentDetails(`${current}${note}`);
  }

  for (;;) {
    if (workflowInfo().continueAsNewSuggested)
      return continueAsNew<typeof fanoutMessages>({ conversationId });
    if (woken) {
      woken = false;
      showDetails('Messages are being passed on.');
      const { done, more } = await steps.streamFanout({ conversationId });
      showDetails(`Everything up to seq ${done} was passed on.`);
      if (more) woken = true;
      continue;
    }
    const again = await condition(() => woken, idleTimeout, {
      summary: 'until the conversation counts as silent',
    });
    // No await is allowed between here and the return: a signal that arrives there would be lost.
    if (!again && !woken) return;
  }
}
