import type { Socket } from 'node:net'
import { connect } from 'node:net'
import type { ResetCode } from '@sallyport/protocol'
import { systemCode } from '../errors.ts'

export type ConnectResult =
	| { readonly kind: 'connected'; readonly socket: Socket }
	| { readonly kind: 'failed'; readonly code: ResetCode; readonly message: string }

const CONNECT_MS = 10_000

/** Connects to the first address that answers, in order. Half-closes are kept apart, small writes aren't held back. */
export async function connectTcp(host: string, addresses: readonly string[], port: number): Promise<ConnectResult> {
	let last: ConnectResult = { kind: 'failed', code: 'host_unreachable', message: `${host} has no address` }
	for (const address of addresses) {
		last = await connectOne(host, address, port)
		if (last.kind === 'connected') return last
	}
	return last
}

function connectOne(host: string, address: string, port: number): Promise<ConnectResult> {
	return new Promise((resolve) => {
		const socket = connect({ host: address, port, allowHalfOpen: true, noDelay: true })
		const fail = (code: ResetCode, message: string): void => {
			socket.destroy()
			resolve({ kind: 'failed', code, message })
		}
		socket.setTimeout(CONNECT_MS, () =>
			fail('connect_timed_out', `${host} port ${port} did not answer in ${CONNECT_MS / 1000} s`),
		)
		socket.once('error', (error) => fail(...connectProblem(host, port, systemCode(error))))
		socket.once('connect', () => {
			socket.setTimeout(0)
			socket.removeAllListeners()
			resolve({ kind: 'connected', socket })
		})
	})
}

function connectProblem(host: string, port: number, code: string): [ResetCode, string] {
	switch (code) {
		case 'ECONNREFUSED':
			return ['connect_refused', `${host} refused the connection: nothing listens on port ${port}`]
		case 'ETIMEDOUT':
			return ['connect_timed_out', `${host} port ${port} did not answer`]
		case 'ECONNRESET':
			return ['connect_refused', `${host} port ${port} closed the connection at once`]
		default:
			return ['host_unreachable', `${host} cannot be reached from this machine${code === '' ? '' : ` (${code})`}`]
	}
}
