import { localStep } from '../steps/local-step.ts';

export const changeMembers = localStep('changeMembers', 'change the members of the group');
