/** Runs the module whose path it is given, and ends, whatever the module has left open. */

import { writeSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

try {
  await import(pathToFileURL(process.argv[2]).href);
  process.exit(0);
} catch (error) {
  console.error(error);
  // For the test, which reads it from a pipe of its own.
  writeSync(3, error instanceof Error ? error.name : String(error));
  process.exit(1);
}
