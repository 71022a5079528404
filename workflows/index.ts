/** Every workflow type that the workers run; the file's names are the types' names. */
export { createGroup } from './create-group.ts';
export { fanoutMessages } from './fanout-messages.ts';
export { friendRequest } from './friend-request.ts';
