/**
 * The driver of a link: it joins the pure core of `@sallyport/link` to sockets, crypto and timers, and gives streams to
 * agents and clients. It isn't a client: it knows no accounts, stores and relays' HTTP.
 */
export * from './errors.ts'
export * from './link.ts'
export * from './link-stream.ts'
export * from './node-link.ts'
