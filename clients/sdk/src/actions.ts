/** Calls that are made now and then are a bundle of their own: a client loads it with the first one that it makes. */
export { createActions } from './api/actions.ts';
