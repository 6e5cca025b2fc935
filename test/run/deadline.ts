/** Loaded into every test file's process: Node's own time limit is one for each test, not for a file that never ends. */
const fileTimeoutMs = 6 * 60_000;

if (process.env.NODE_TEST_CONTEXT !== undefined) {
  setTimeout(() => {
    const open = process.getActiveResourcesInfo().join(', ');
    process.stderr.write(`${process.argv[1]} did not end within ${fileTimeoutMs / 1000} s; open: ${open}\n`);
    process.exit(1);
  }, fileTimeoutMs).unref();
  // A process that ends by itself tears down what Node has open, and was seen to wait there for ever, with every test passed:
  // `Environment::CleanupHandles` ran the event loop, in which nothing was alive. One that is told to exit does not.
  process.once('beforeExit', () => process.once('exit', (code) => process.exit(code)));
}
