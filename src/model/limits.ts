/** What a site file may cost to read. Checked before anything is built from it. */
export const siteFileBytesMax = 4 * 1024 * 1024;
/** The same where it is plainly written (plain-yaml.ts), and only looked at: a hundred thousand servers are six million bytes. */
export const siteTextBytesMax = 16 * 1024 * 1024;
export const siteFileDepthMax = 32;
export const siteFileAliasesMax = 100;
/** Words, signs and gaps of the text: a server takes about twenty. What parsing costs goes with them, not with the bytes. */
export const siteFileTokensMax = 1_000_000;
/** Nodes after every alias has been put in its place. */
export const siteFileNodesMax = 1_000_000;
/** One run of the parser tells this many mistakes. */
export const diagnosticsMax = 200;
