import type { PreviewSocket } from '../broker/previews/preview-socket.js';
import { watchLife } from '../broker/session-life.js';

/**
 * Keeps the sandbox of a socket that is open, and tells once when its session is over.
 * @returns what ends that, when the socket is closed.
 */
export function holdPreview({ life, leave }: PreviewSocket, onOver: () => void): () => void {
  const { keepAlive } = life;
  const stopWatching = watchLife(life, () => {
    stop();
    onOver();
  });
  // A sandbox that cannot be kept ends, and what is open with it.
  const extend = (): void => void keepAlive?.extend().catch(() => undefined);
  const keeping = keepAlive && setInterval(extend, keepAlive.everyMs);
  extend();
  function stop(): void {
    stopWatching();
    clearInterval(keeping);
    leave();
  }
  return stop;
}
