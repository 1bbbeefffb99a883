import { type Browser, chromium } from 'playwright-core';
import { findChromium } from '../../../scripts/setup.mjs';

/** Starts the Chromium that is on this machine. */
export async function launchChromium(args: string[] = []): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error('Chromium was not found: run node scripts/setup.mjs');
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage', ...args] });
}
