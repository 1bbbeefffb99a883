import { FitAddon } from '@xterm/addon-fit';
import type { Terminal } from '@xterm/xterm';

/** What keeps a terminal as large as an element. */
export interface Fitting {
  /** Fits at once. */
  fit: () => void;
  stop: () => void;
}

/**
 * Keeps the terminal as large as the element it is in, at most once an animation frame. While the element is not
 * shown its size means nothing, and the terminal keeps the one it had, as it does while it is not `isWanted`.
 */
export function fitToElement(terminal: Terminal, element: HTMLElement, isWanted: () => boolean): Fitting {
  const addon = new FitAddon();
  terminal.loadAddon(addon);
  const resize = (): void => {
    if (element.clientWidth > 0 && element.clientHeight > 0 && isWanted()) addon.fit();
  };
  resize();
  let frame = 0;
  const observer = new ResizeObserver(() => {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(resize);
  });
  observer.observe(element);
  return {
    fit: resize,
    stop: () => {
      cancelAnimationFrame(frame);
      observer.disconnect();
    },
  };
}
