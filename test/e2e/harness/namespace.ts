/**
 * A network namespace of the test's own: another machine as far as the network goes. It has one way out, a cable (veth)
 * to this machine; what listens on loopback here can't be reached from there.
 */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import type { Scope } from './scope.ts'
import { isRoot } from './sshd.ts'

export interface NetworkNamespace {
	readonly name: string
	/** This machine's end of the cable. */
	readonly hostAddress: string
	/** The namespace's own end. */
	readonly address: string
	/** Program and arguments that run a command inside; the process id is that of the command itself. */
	inside(command: string, args: readonly string[]): readonly [string, readonly string[]]
}

const IP = ['/usr/sbin/ip', '/sbin/ip', '/usr/bin/ip'].find((path) => existsSync(path))

/** Why there can be no namespace here; undefined when there can. */
export function whyNoNamespace(): string | undefined {
	if (!isRoot()) return 'needs root, to make a network namespace'
	if (IP === undefined) return 'needs the program ip (Debian: apt-get install iproute2)'
	const probe = `slyp${randomBytes(3).toString('hex')}`
	const made = spawnSync(IP, ['netns', 'add', probe], { encoding: 'utf8' })
	if (made.status !== 0) return `this system makes no network namespace: ${made.stderr.trim()}`
	spawnSync(IP, ['netns', 'delete', probe])
	return undefined
}

export function createNamespace(scope: Scope): NetworkNamespace {
	const id = randomBytes(3)
	const name = `sly${id.toString('hex')}`
	// Of the range that is set aside for benchmarks between networks (RFC 2544): nobody's own, and no route leads there.
	const net = `198.18.${id[0] ?? 0}.${((id[1] ?? 0) >> 2) * 4}`
	const base = net.slice(0, net.lastIndexOf('.') + 1)
	const last = Number(net.slice(base.length))
	const [hostAddress, address] = [`${base}${last + 1}`, `${base}${last + 2}`]
	const [hostEnd, farEnd] = [`${name}h`, `${name}n`]
	// Removing the namespace removes the cable with it; the second line is for a namespace that was never made.
	scope.defer(() => {
		spawnSync(IP ?? 'ip', ['netns', 'delete', name])
		spawnSync(IP ?? 'ip', ['link', 'delete', hostEnd])
	})
	ip('netns', 'add', name)
	ip('link', 'add', hostEnd, 'type', 'veth', 'peer', 'name', farEnd)
	ip('link', 'set', farEnd, 'netns', name)
	ip('address', 'add', `${hostAddress}/30`, 'dev', hostEnd)
	ip('link', 'set', hostEnd, 'up')
	ip('-n', name, 'address', 'add', `${address}/30`, 'dev', farEnd)
	ip('-n', name, 'link', 'set', farEnd, 'up')
	ip('-n', name, 'link', 'set', 'lo', 'up')
	return {
		name,
		hostAddress,
		address,
		inside: (command, args) => [IP ?? 'ip', ['netns', 'exec', name, command, ...args]],
	}
}

function ip(...args: readonly string[]): void {
	const done = spawnSync(IP ?? 'ip', args, { encoding: 'utf8' })
	if (done.status !== 0) throw new Error(`ip ${args.join(' ')} failed: ${done.stderr || done.error?.message}`)
}
