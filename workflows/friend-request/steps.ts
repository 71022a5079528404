import { localStep } from '../steps/local-step.ts';

export const createFriendRequest = localStep('createFriendRequest', 'store the request');
export const settleFriendRequest = localStep('settleFriendRequest', 'change the status of the request');
export const findFriendRequest = localStep('findFriendRequest', 'look up the latest request of the pair');
export const openSingleConversation = localStep('openSingleConversation', 'open the conversation of the two');
