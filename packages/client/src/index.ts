/**
 * The user's side of Sallyport: relay, pairings, links and what people do over them, alike in browsers and Node. The
 * platforms' parts are in `@sallyport/client/browser` and `@sallyport/client/node`. It isn't a user interface and never
 * prints.
 *
 * ```ts
 * import { openNodeClient } from '@sallyport/client/node'
 *
 * const client = await openNodeClient({ origin, dataDir, token })
 * const { nodes } = await client.api.nodes()
 * const connection = await client.connect(nodes[0].id)
 * const shell = await connection.openTerminal({ cols: 80, rows: 24 })
 * shell.onOutput((bytes, done) => process.stdout.write(bytes, done))
 * ```
 */
export * from './create-client.ts'
export * from './device.ts'
export * from './errors.ts'
export * from './hop/open-hop.ts'
export { plainText } from './hop/refusals.ts'
export * from './http/answers.ts'
export * from './http/credential.ts'
export * from './http/http.ts'
export * from './http/page-session.ts'
export * from './http/relay-api.ts'
export * from './link/connector.ts'
export * from './link/link-opener.ts'
export * from './link/route.ts'
export * from './nodes/sse.ts'
export * from './sally-client.ts'
