/** Calls about people are a bundle of their own: a client loads it with the first one that it makes. */
export { createPeople } from './api/people.ts';
