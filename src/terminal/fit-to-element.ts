import { FitAddon } from '@xterm/addon-fit';
import type { Terminal } from '@xterm/xterm';

/**
 * Keeps the terminal as large as the element it is in, at most once an animation frame. While the element is not
 * shown its size means nothing, and the terminal keeps the one it had. Returns what ends that.
 */
export function fitToElement(terminal: Terminal, element: HTMLElement): () => void {
  const addon = new FitAddon();
  terminal.loadAddon(addon);
  const resize = (): void => {
    if (element.clientWidth > 0 && element.clientHeight > 0) addon.fit();
  };
  resize();
  let frame = 0;
  const observer = new ResizeObserver(() => {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(resize);
  });
  observer.observe(element);
  return () => {
    cancelAnimationFrame(frame);
    observer.disconnect();
  };
}
