import { localStep } from '../steps/local-step.ts';

export const checkMembers = localStep('checkMembers', 'check that the members may be added');
export const createHiddenGroup = localStep('createHiddenGroup', 'store the group with its owner');
export const addFirstMembers = localStep('addFirstMembers', 'add a batch of members');
export const activateGroup = localStep('activateGroup', 'show the group to its members');
export const discardGroup = localStep('discardGroup', 'undo the group');
