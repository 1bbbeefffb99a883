import { defineBadInput } from './storm/define-bad-input.js';

defineBadInput('workerd');
