#!/usr/bin/env node
import { runCommandLine } from './local/cli/command-line.js';

const exitCode = await runCommandLine(process.argv.slice(2));
// What is kept for a next request, such as a connection, must not keep the program.
process.stdout.write('', () => process.exit(exitCode));
