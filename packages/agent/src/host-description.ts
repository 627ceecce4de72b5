import { readFileSync } from 'node:fs'
import { arch, hostname, networkInterfaces, release, type } from 'node:os'
import type { Endpoint } from '@sallyport/protocol'
import { isLoopbackHost } from './relay/origin.ts'
import { AGENT_VERSION } from './version.ts'

/** What this node tells of itself. */
export interface HostDescription {
	readonly hostname: string
	readonly os: string
	readonly agentVersion: string
}

export function describeHost(): HostDescription {
	return { hostname: hostname().slice(0, 255), os: `${osName()} (${arch()})`.slice(0, 128), agentVersion: AGENT_VERSION }
}

function osName(): string {
	try {
		const match = /^PRETTY_NAME="?([^"\n]+)"?$/m.exec(readFileSync('/etc/os-release', 'utf8'))
		if (match?.[1] !== undefined) return match[1]
	} catch {
		// Not a Linux with that file.
	}
	return `${type()} ${release()}`
}

/** The ways to reach this node, for devices that are paired with it. */
export function endpointsOf(
	listener: { readonly host: string; readonly port: number } | undefined,
	relayOrigin: string | undefined,
): readonly Endpoint[] {
	const endpoints: Endpoint[] = relayOrigin === undefined ? [] : [{ kind: 'relay', url: relayOrigin }]
	if (listener === undefined) return endpoints
	const { host, port } = listener
	if (isLoopbackHost(host)) return [...endpoints, { kind: 'loopback', url: `http://${bracketed(host)}:${port}` }]
	const addresses = host === '0.0.0.0' || host === '::' ? interfaceAddresses(host === '::') : [host]
	const lan = addresses.map((address): Endpoint => ({ kind: 'lan', url: `http://${bracketed(address)}:${port}` }))
	return [...endpoints, ...lan].slice(0, 16)
}

function interfaceAddresses(withIpv6: boolean): readonly string[] {
	return Object.values(networkInterfaces())
		.flatMap((addresses) => addresses ?? [])
		.filter((address) => !address.internal && (address.family === 'IPv4' || (withIpv6 && address.scopeid === 0)))
		.map((address) => address.address)
}

function bracketed(address: string): string {
	return address.includes(':') ? `[${address}]` : address
}
