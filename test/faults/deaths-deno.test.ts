import { defineDeaths } from './storm/define-deaths.js';

defineDeaths('deno');
