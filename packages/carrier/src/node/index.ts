/** The carrier in Node: crypto that never waits, and files that hold secrets. */
export * from './crypto-node.ts'
export * from './identity-node.ts'
export * from './sealed-files.ts'
export * from './secure-files.ts'
