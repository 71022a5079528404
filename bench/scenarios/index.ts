// Room: one file per scenario, which defines what is measured and how. No code for one particular system may come in.

import type { Scenario } from '../laboratory/laboratory.ts';
import { ageing } from './ageing.ts';
import { atRest } from './at-rest.ts';
import { changingPages } from './changing-pages.ts';
import { closedLoop } from './closed-loop.ts';
import { coldHistory } from './cold-history.ts';
import { conversationList } from './conversation-list.ts';
import { createGroup } from './create-group.ts';
import { disconnects } from './disconnects.ts';
import { fanout, flowsUnderFanout } from './fanout.ts';
import { friendRequest } from './friend-request.ts';
import { groupLatency } from './group-latency.ts';
import { growthConversations } from './growth-conversations.ts';
import { growthMessages } from './growth-messages.ts';
import { growthUsers } from './growth-users.ts';
import { history } from './history.ts';
import { idleConnections } from './idle-connections.ts';
import { groupLimit, ladder } from './ladder.ts';
import { oneToOne } from './one-to-one.ts';
import { overload } from './overload.ts';
import { reconnectStorm } from './reconnect-storm.ts';
import { scaling } from './scaling.ts';
import { search } from './search.ts';
import { slowReaders } from './slow-readers.ts';
import { versus, versusLatency } from './versus.ts';

/** The scenarios in the order in which they run: those that measure memory first, right after the start. */
export const scenarios: Scenario[] = [
  atRest,
  idleConnections,
  oneToOne,
  closedLoop,
  ladder,
  groupLatency,
  groupLimit(100),
  groupLimit(500),
  slowReaders,
  reconnectStorm,
  conversationList,
  history,
  changingPages,
  search,
  coldHistory,
  friendRequest,
  createGroup,
  fanout,
  flowsUnderFanout,
  disconnects,
  growthMessages,
  growthConversations,
  scaling,
  versus,
  versusLatency,
  overload,
  ageing,
  // It comes last since it adds many users to the database.
  growthUsers,
];
