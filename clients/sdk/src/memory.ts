export { memoryStorage } from './storage/memory.ts';
