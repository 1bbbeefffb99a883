import { type SessionLife, watchLife } from '../broker/session-life.js';

/**
 * Keeps the sandbox of what is open, and tells once when its session is over.
 * @returns what ends that, when it is closed.
 */
export function holdLife(life: SessionLife, onOver: () => void): () => void {
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
  }
  return stop;
}
