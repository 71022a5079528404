import { localStep } from '../steps/local-step.ts';

export const changeMembers = localStep('changeMembers', 'change who belongs to the group');
