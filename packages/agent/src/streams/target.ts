import { lookup } from 'node:dns/promises'
import { BlockList, isIP } from 'node:net'
import type { ResetCode } from '@sallyport/protocol'
import type { HostRule, Policy } from '../config/policy.ts'
import { systemCode } from '../errors.ts'

/** Where a stream wants to go, and where the node's own sshd is. */
export interface Target {
	readonly host: string
	readonly port: number
}

export type TargetDecision =
	/** Connect to these addresses and to nothing else: the name is not asked again. */
	| { readonly kind: 'allowed'; readonly addresses: readonly string[]; readonly isOwnSsh: boolean }
	| { readonly kind: 'refused'; readonly code: ResetCode; readonly message: string }

export type Resolve = (host: string) => Promise<readonly string[]>

/** As the system resolves names, /etc/hosts included. */
export const systemResolve: Resolve = async (host) =>
	(await lookup(host, { all: true, verbatim: true })).map((found) => found.address)

/**
 * Decides whether a target may be reached. The policy is asked about the addresses that the name has now, and those
 * addresses are what is connected to, so that a name can't be one thing when it is judged and another when it is dialled.
 */
export async function decideTarget(
	target: Target,
	ownSsh: Target,
	policy: Policy,
	resolve: Resolve = systemResolve,
): Promise<TargetDecision> {
	const name = hostName(target.host)
	if (name === undefined) return refused('name_unknown', 'the host is not a name or an address')
	const found = await resolveAll(name, resolve)
	if (typeof found === 'string') return refused('name_unknown', found)
	const own = policy.ssh && target.port === ownSsh.port ? await resolveAll(ownSsh.host, resolve) : []
	const isOwn = (address: string): boolean => typeof own !== 'string' && own.includes(address)
	const allowed = found.filter((address) => isOwn(address) || isForwardAllowed(policy, name, address, target.port))
	if (allowed.length === 0) {
		return refused(
			'policy_refused',
			`this machine's policy does not let devices reach ${target.host} port ${target.port}; its owner can allow it in the agent's policy file`,
		)
	}
	return { kind: 'allowed', addresses: allowed, isOwnSsh: allowed.every(isOwn) }
}

function isForwardAllowed(policy: Policy, name: string, address: string, port: number): boolean {
	return policy.forward.some(
		(rule) => rule.ports.some((range) => port >= range.from && port <= range.to) && matchesHost(rule.hosts, name, address),
	)
}

function matchesHost(rule: HostRule, name: string, address: string): boolean {
	switch (rule.kind) {
		case 'any':
			return true
		case 'addresses':
			return rule.contains(address)
		case 'name':
			return rule.name === name && !isLocal(address)
		case 'suffix':
			return name.endsWith(rule.suffix) && !isLocal(address)
	}
}

/** This machine and its link: a name under somebody else's control must not lead there. */
const LOCAL = new BlockList()
LOCAL.addSubnet('127.0.0.0', 8, 'ipv4')
LOCAL.addSubnet('169.254.0.0', 16, 'ipv4')
LOCAL.addAddress('::1', 'ipv6')
LOCAL.addSubnet('fe80::', 10, 'ipv6')

function isLocal(address: string): boolean {
	return LOCAL.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}

/** Lower case, no trailing dot, no brackets; undefined for what can't be a host. */
function hostName(host: string): string | undefined {
	const bare = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host
	const name = bare.toLowerCase().replace(/\.$/, '')
	return /^[a-z0-9_:][a-z0-9_:.%-]{0,254}$/.test(name) ? name : undefined
}

async function resolveAll(host: string, resolve: Resolve): Promise<readonly string[] | string> {
	try {
		const addresses = isIP(host) === 0 ? await resolve(host) : [host]
		return [...new Set(addresses.map(plainAddress))]
	} catch (error) {
		return systemCode(error) === 'EAI_AGAIN'
			? `the name ${host} could not be looked up on this machine now`
			: `the name ${host} is not known on this machine`
	}
}

/** One spelling for each address: `::ffff:127.0.0.1` is 127.0.0.1, and to connect to 0.0.0.0 or :: is to connect here. */
function plainAddress(address: string): string {
	const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? mappedHex(address) ?? address
	if (isIP(mapped) === 4) return mapped.startsWith('0.') ? '127.0.0.1' : mapped
	const short = new URL(`http://[${mapped.replace(/%.*$/, '')}]/`).hostname.slice(1, -1)
	if (short === '::') return '::1'
	return mappedHex(short) ?? short
}

function mappedHex(address: string): string | undefined {
	const match = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i.exec(address)
	if (match === null) return undefined
	const high = Number.parseInt(match[1] ?? '', 16)
	const low = Number.parseInt(match[2] ?? '', 16)
	return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`
}

function refused(code: ResetCode, message: string): TargetDecision {
	return { kind: 'refused', code, message }
}
