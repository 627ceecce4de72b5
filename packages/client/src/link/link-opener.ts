import type { OpenClientLinkOptions, OpenedClientLink } from '@sallyport/carrier'

/** What is asked of a node; crypto, keys, clock and log are the platform's. */
export type LinkRequestOptions = Omit<OpenClientLinkOptions, 'crypto' | 'identity' | 'clock' | 'log'>

/** Runs a handshake with this device's keys. */
export type LinkOpener = (options: LinkRequestOptions) => Promise<OpenedClientLink>
