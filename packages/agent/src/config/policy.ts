import { BlockList, isIP } from 'node:net'
import * as v from 'valibot'

/** What streams may do on this node, besides what each device's capabilities say. */
export interface Policy {
	readonly shell: boolean
	readonly exec: boolean
	/** The node's own sshd (`SSH_HOST`, `SSH_PORT`). */
	readonly ssh: boolean
	readonly forward: readonly ForwardRule[]
}

/** Hosts and ports that may be reached from this node. */
export interface ForwardRule {
	readonly hosts: HostRule
	readonly ports: readonly PortRange[]
}
export type HostRule =
	| { readonly kind: 'addresses'; readonly text: string; readonly contains: (address: string) => boolean }
	/** Matches the name asked for. What it resolves to must not be this machine or link-local: an address rule says that. */
	| { readonly kind: 'name'; readonly name: string }
	| { readonly kind: 'suffix'; readonly suffix: string }
	| { readonly kind: 'any' }
export interface PortRange {
	readonly from: number
	readonly to: number
}

export type PolicyResult =
	| { readonly ok: true; readonly policy: Policy }
	| { readonly ok: false; readonly problems: readonly string[] }

/** Own shell and programs, own sshd, nothing else. */
export const DEFAULT_POLICY: Policy = { shell: true, exec: true, ssh: true, forward: [] }

const ruleSchema = v.strictObject({ host: v.string(), ports: v.union([v.string(), v.number()]) })
const policySchema = v.strictObject({
	version: v.literal(1),
	shell: v.optional(v.boolean(), DEFAULT_POLICY.shell),
	exec: v.optional(v.boolean(), DEFAULT_POLICY.exec),
	ssh: v.optional(v.boolean(), DEFAULT_POLICY.ssh),
	forward: v.optional(v.pipe(v.array(ruleSchema), v.maxLength(256)), []),
})

/** Reads a policy file's text; every problem is reported, each with its place. */
export function parsePolicy(text: string): PolicyResult {
	let json: unknown
	try {
		json = JSON.parse(text)
	} catch {
		return { ok: false, problems: ['the file is not JSON'] }
	}
	const parsed = v.safeParse(policySchema, json)
	if (!parsed.success) {
		return { ok: false, problems: parsed.issues.map((issue) => `${v.getDotPath(issue) ?? 'the file'}: ${issue.message}`) }
	}
	const problems: string[] = []
	const forward = parsed.output.forward.flatMap((rule, index): ForwardRule[] => {
		const hosts = parseHost(rule.host)
		const ports = parsePorts(String(rule.ports))
		if (hosts === undefined)
			problems.push(`forward.${index}.host: ${JSON.stringify(rule.host)} is not an address, a network, a name, *.name or *`)
		if (ports === undefined)
			problems.push(`forward.${index}.ports: ${JSON.stringify(rule.ports)} is not a list like "22, 8000-8999" or "*"`)
		return hosts === undefined || ports === undefined ? [] : [{ hosts, ports }]
	})
	if (problems.length > 0) return { ok: false, problems }
	return { ok: true, policy: { shell: parsed.output.shell, exec: parsed.output.exec, ssh: parsed.output.ssh, forward } }
}

const NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_]([a-z0-9_-]{0,62}))*$/

function parseHost(text: string): HostRule | undefined {
	const host = text.trim().toLowerCase()
	if (host === '*') return { kind: 'any' }
	if (host === 'localhost')
		return addressRule(host, [
			['127.0.0.0', 8],
			['::1', 128],
		])
	if (host.startsWith('*.')) return NAME.test(host.slice(2)) ? { kind: 'suffix', suffix: host.slice(1) } : undefined
	const [address = '', bits, ...rest] = host.split('/')
	const family = isIP(address)
	if (family === 0)
		return bits === undefined && NAME.test(host) && !/^[\d.]+$/.test(host) ? { kind: 'name', name: host } : undefined
	const widest = family === 4 ? 32 : 128
	if (rest.length > 0 || (bits !== undefined && !/^\d{1,3}$/.test(bits)) || Number(bits ?? widest) > widest) return undefined
	return addressRule(host, [[address, Number(bits ?? widest)]])
}

function addressRule(text: string, networks: readonly (readonly [string, number])[]): HostRule {
	const list = new BlockList()
	for (const [address, bits] of networks) list.addSubnet(address, bits, isIP(address) === 6 ? 'ipv6' : 'ipv4')
	return { kind: 'addresses', text, contains: (address) => list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4') }
}

function parsePorts(text: string): readonly PortRange[] | undefined {
	if (text.trim() === '*') return [{ from: 1, to: 65_535 }]
	const ranges = text.split(',').map((part): PortRange | undefined => {
		const match = /^\s*(\d{1,5})\s*(?:-\s*(\d{1,5})\s*)?$/.exec(part)
		const from = Number(match?.[1])
		const to = Number(match?.[2] ?? match?.[1])
		return match !== null && from >= 1 && to <= 65_535 && from <= to ? { from, to } : undefined
	})
	const valid = ranges.filter((range) => range !== undefined)
	return valid.length === ranges.length ? valid : undefined
}
