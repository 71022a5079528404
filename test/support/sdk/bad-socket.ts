import type { WebSocketLike } from '@gochat/sdk';
import { createRandom } from '../../../bench/measure/random.ts';

const latestMs = 60;

/**
 * A WebSocket whose frames come twice, late and in another order, in both directions; the first frame comes as it should.
 * `isBad` turns it on and off.
 */
export function badSocket(seed: number, isBad: () => boolean): WebSocketLike {
  const random = createRandom(seed);
  const chance = (share: number) => isBad() && random.next() < share;

  return class {
    readonly #socket: WebSocket;
    #heard = 0;

    constructor(url: string, protocols: string[]) {
      this.#socket = new WebSocket(url, protocols);
    }

    addEventListener(type: 'open' | 'message' | 'close' | 'error', listener: (event: unknown) => void): void {
      this.#socket.addEventListener(type, (event) => {
        const tell = () => listener(event);
        if (type !== 'message') return tell();
        this.#heard += 1;
        if (this.#heard > 1 && chance(0.1)) setTimeout(tell, random.next() * latestMs);
        else tell();
        if (chance(0.1)) setTimeout(tell, random.next() * latestMs);
      });
    }

    send(text: string): void {
      this.#socket.send(text);
      if (!chance(0.1)) return;
      setTimeout(() => {
        if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(text);
      }, random.next() * latestMs);
    }

    close(code?: number): void {
      this.#socket.close(code);
    }
  };
}
