import { codeOf, isRetryable, messageOf } from '../../../lib/errors.ts';
import type { GatewayMetrics } from '../metrics/gateway-metrics.ts';
import type { Session } from './session.ts';
import type { Sessions } from './sessions.ts';

/** Sends an error frame to a session. `clientMsgId` names the message that was refused, if there is one. */
export type Refuse = (session: Session, error: unknown, clientMsgId?: string) => void;

export function createRefuse(sessions: Pick<Sessions, 'send'>, metrics: GatewayMetrics): Refuse {
  return (session, error, clientMsgId) => {
    const code = codeOf(error);
    metrics.errorFrames.inc({ code });
    sessions.send(session, 'error', {
      code,
      message: messageOf(error),
      ...(clientMsgId === undefined ? {} : { clientMsgId }),
      retryable: isRetryable(code),
    });
  };
}
