import type { SeatDeps } from '../src/engine/seat.ts';
import { createModel } from '../src/model/model.ts';
import { createTabs } from '../src/tabs/tabs.ts';

/** A tab without a server behind it: it only takes part in who leads. `tell` hears of its leading. */
export function createPretendTab(name: string, tell: (what: 'leads' | 'resigned') => void) {
  const model = createModel(() => false);
  const unused = () => {
    throw new Error('a pretended tab has no server');
  };
  const deps: SeatDeps = {
    url: '',
    credentials: { guest: true },
    state: model.state,
    apply: model.apply,
    change: model.change,
    async lead({ onConnection }) {
      tell('leads');
      return {
        api: unused,
        dispatch: async () => {},
        typing() {},
        start: () => onConnection({ state: 'online' }),
        stop: async () => tell('resigned'),
        wake() {},
        token: async () => 'token',
        signOut: async () => {},
      };
    },
    onConnection() {},
    onDevices() {},
    devices: () => ['device'],
    apiWith: () => unused,
    asError: unused,
    onReset() {},
  };
  return createTabs(name, deps);
}
