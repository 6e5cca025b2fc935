/** Loaded into every test file's process: Node's own time limit is one for each test, not for a file that never ends. */
const fileTimeoutMs = 6 * 60_000;

if (process.env.NODE_TEST_CONTEXT !== undefined) {
  setTimeout(() => {
    const open = process.getActiveResourcesInfo().join(', ');
    process.stderr.write(`${process.argv[1]} did not end within ${fileTimeoutMs / 1000} s; open: ${open}\n`);
    process.exit(1);
  }, fileTimeoutMs).unref();
}
