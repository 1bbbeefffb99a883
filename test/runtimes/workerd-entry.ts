import * as edge from 'e2b-edge';
import * as browser from 'e2b-edge/browser';
import * as errors from 'e2b-edge/errors';
import { suiteHandler } from './suite-handler.js';

export default { fetch: suiteHandler('workerd', { edge, browser, errors }) };
