/** The carrier in browsers: WebCrypto with keys that can't be exported. */
export * from './crypto-web.ts'
export * from './identity-web.ts'
