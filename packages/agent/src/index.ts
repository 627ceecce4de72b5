/**
 * The program on a node: it keeps a connection to the relay, lets paired devices in, and opens shells, programs and
 * connections for them. It isn't a relay, and it doesn't parse command lines: `@sallyport/cli` does.
 *
 * ```ts
 * import { createAgent, parseAgentConfig } from '@sallyport/agent'
 *
 * const parsed = parseAgentConfig({ env: process.env })
 * if (!parsed.ok) throw new Error(parsed.problems.join('\n'))
 * const agent = await createAgent({ log }, parsed.config)
 * await agent.start()
 * ```
 */
export * from './agent.ts'
export * from './config/config.ts'
export { DEFAULT_POLICY, type Policy, parsePolicy } from './config/policy.ts'
export * from './errors.ts'
export { APPROVED_CAPABILITIES, OWNER_CAPABILITIES } from './gate/gate.ts'
export * from './local/control-api.ts'
export * from './local/control-client.ts'
export type { JoinSummary } from './membership.ts'
export { readJoin } from './membership.ts'
export type { RelayState } from './relay/relay-connection.ts'
export { type InstalledService, type InstallOptions, installService, uninstallService } from './service/install-service.ts'
export type { RelayPin } from './state/relay-pin.ts'
export { AGENT_VERSION } from './version.ts'
