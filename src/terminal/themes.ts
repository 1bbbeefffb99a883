import type { ITheme } from '@xterm/xterm';

const dark: ITheme = {
  background: '#14171c',
  foreground: '#d7dce3',
  cursor: '#d7dce3',
  cursorAccent: '#14171c',
  selectionBackground: '#3a4a63',
  black: '#2a2f38',
  red: '#f07178',
  green: '#8fc77e',
  yellow: '#e0b567',
  blue: '#74a8f0',
  magenta: '#c792ea',
  cyan: '#6fc3cf',
  white: '#c5ccd6',
  brightBlack: '#7a8494',
  brightRed: '#ff8b92',
  brightGreen: '#a8dd98',
  brightYellow: '#f3cd86',
  brightBlue: '#94bffb',
  brightMagenta: '#d9aef5',
  brightCyan: '#8fdbe6',
  brightWhite: '#f2f5f9',
};

const light: ITheme = {
  background: '#fdfdfc',
  foreground: '#23282f',
  cursor: '#23282f',
  cursorAccent: '#fdfdfc',
  selectionBackground: '#c7dcf7',
  black: '#23282f',
  red: '#b3261e',
  green: '#2b6e2f',
  yellow: '#85600a',
  blue: '#1d56ad',
  magenta: '#86369b',
  cyan: '#12686f',
  white: '#6b7280',
  brightBlack: '#5d6673',
  brightRed: '#c5382f',
  brightGreen: '#36803a',
  brightYellow: '#94700f',
  brightBlue: '#2a6acb',
  brightMagenta: '#9c48b1',
  brightCyan: '#1a7b83',
  brightWhite: '#4b5563',
};

/** Calls back with the colours that the user prefers, now and whenever that changes. Returns what ends that. */
export function followColorScheme(apply: (theme: ITheme) => void): () => void {
  const prefersDark = matchMedia('(prefers-color-scheme: dark)');
  const changed = (): void => apply(prefersDark.matches ? dark : light);
  changed();
  prefersDark.addEventListener('change', changed);
  return () => prefersDark.removeEventListener('change', changed);
}
