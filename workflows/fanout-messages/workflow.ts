// Room: one run per large conversation, which keeps its streaming activity going. Messages themselves may not come in,
// nor anything of another flow.

import { condition, continueAsNew, setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import { parseInput } from '../input/check.ts';
import { fanoutMessages as contract, type FanoutArgs, fanoutInput } from './contract.ts';
import * as steps from './steps.ts';

/** How long a conversation may be silent until its run closes; the next message starts it again. */
const linger = '1h';

/**
 * Keeps one streaming activity going for a large conversation while there is work: the activity passes the messages
 * on, this flow only makes sure that there is one, and never two. It lives as long as people write.
 */
export async function fanoutMessages(input: FanoutArgs): Promise<void> {
  const { conversationId } = parseInput(fanoutInput, input);
  let woken = true;
  let doing = '';
  let ignored = 0;
  setHandler(contract.wake, (...given: unknown[]) => {
    if (given.length === 0) {
      woken = true;
      return;
    }
    ignored += 1;
    tell();
  });

  /** What it is doing, and that somebody sends what is no wake-up. */
  function tell(now = doing): void {
    doing = now;
    const note = ignored === 0 ? '' : ` Signals ignored: ${ignored}. The input is wrong: wake takes none.`;
    setCurrentDetails(`${doing}${note}`);
  }

  for (;;) {
    if (workflowInfo().continueAsNewSuggested)
      return continueAsNew<typeof fanoutMessages>({ conversationId });
    if (woken) {
      woken = false;
      tell('Messages are being passed on.');
      const { done, more } = await steps.streamFanout({ conversationId });
      tell(`Everything up to seq ${done} was passed on.`);
      if (more) woken = true;
      continue;
    }
    const again = await condition(() => woken, linger, {
      summary: 'until the conversation counts as silent',
    });
    // No await from here to the return: a signal that comes meanwhile would be lost.
    if (!again && !woken) return;
  }
}
