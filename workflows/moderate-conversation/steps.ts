import { localStep } from '../steps/local-step.ts';

export const muteMembers = localStep('muteMembers', 'mute members, or let them write again');
export const recallMessages = localStep('recallMessages', 'recall some messages');
