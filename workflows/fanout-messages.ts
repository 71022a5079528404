import { condition, continueAsNew, setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import type { FanoutArgs } from './contracts.ts';
import { fanoutMessages as contract } from './contracts.ts';
import { streamFanout } from './steps.ts';

/** How long a conversation may be silent until its run closes; the next message starts it again. */
const linger = '1h';

/**
 * Keeps one streaming activity going for a large conversation while there is work: the activity passes the messages
 * on, this flow only makes sure that there is one, and never two. It lives as long as people write.
 */
export async function fanoutMessages({ conversationId }: FanoutArgs): Promise<void> {
  let woken = true;
  setHandler(contract.wake, () => {
    woken = true;
  });

  for (;;) {
    if (workflowInfo().continueAsNewSuggested)
      return continueAsNew<typeof fanoutMessages>({ conversationId });
    if (woken) {
      woken = false;
      setCurrentDetails('Messages are being passed on.');
      const { done, more } = await streamFanout({ conversationId });
      setCurrentDetails(`Everything up to seq ${done} was passed on.`);
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
