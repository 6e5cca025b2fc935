// Loaded before a command: says on descriptor 3 what its process has cost, when it ends.
import { writeSync } from 'node:fs';
import { resourceUsage } from 'node:process';

process.on('exit', () => {
  const { userCPUTime, systemCPUTime, maxRSS } = resourceUsage();
  writeSync(3, JSON.stringify({ cpuMs: (userCPUTime + systemCPUTime) / 1_000, memoryMb: maxRSS / 1_024 }));
});
