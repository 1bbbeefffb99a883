import { defineCases } from './define-cases.js';

defineCases('workerd');
