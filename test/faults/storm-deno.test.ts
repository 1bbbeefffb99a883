import { defineStorm } from './storm/define-storm.js';

defineStorm({ runtime: 'deno' });
